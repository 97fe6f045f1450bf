import { PermafrostError } from '../../core/errors.ts';
import type { EnginesResult } from '../../results/engine-results.ts';
import { suggest } from '../../core/suggest.ts';
import { INSTALLABLE, installationOf } from '../../extract/engines/installations.ts';
import type { Work } from '../work.ts';

export const ENGINE_ACTIONS = ['list', 'add', 'remove'] as const;
/** What `engines` does. */
export type EngineAction = (typeof ENGINE_ACTIONS)[number];

/** What other tools call the same. */
const INSTEAD: Readonly<Record<string, EngineAction>> = {
  install: 'add',
  uninstall: 'remove',
  delete: 'remove',
  rm: 'remove',
  ls: 'list',
};

function requireAction(action: string): EngineAction {
  const found = ENGINE_ACTIONS.find((known) => known === action);
  if (found !== undefined) return found;
  const other = Object.hasOwn(INSTEAD, action) ? INSTEAD[action] : undefined;
  const hint = other === undefined ? suggest(action, ENGINE_ACTIONS) : ` (did you mean "${other}"?)`;
  throw new PermafrostError(
    'OPTION_INVALID',
    `engines has no action "${action}"${hint}. Choose one of: ${ENGINE_ACTIONS.join(', ')}.`,
  );
}

/**
 * Lists the runtimes that can be added, adds one, or removes one. Throws OPTION_INVALID for an unknown action or
 * engine, what EngineInstallation.add throws, and ENGINE_UNAVAILABLE where what was added does not load.
 */
export async function engines(action: string, name?: string, work: Work = {}): Promise<EnginesResult> {
  const known = requireAction(action);
  if ((known === 'list') !== (name === undefined)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      known === 'list'
        ? `engines list takes no name, got "${name}".`
        : `engines ${known} needs a name: ${INSTALLABLE.join(', ')}.`,
    );
  }
  if (name !== undefined) {
    const installation = await installationOf(name);
    const { listener, signal } = work;
    if (known === 'remove') await installation.remove();
    else {
      const { problem } = await installation.add({ ...(listener && { listener }), ...(signal && { signal }) });
      if (problem !== null) throw new PermafrostError('ENGINE_UNAVAILABLE', problem);
    }
  }
  const states = INSTALLABLE.map(async (engine) => {
    const installation = await installationOf(engine);
    return { engine, describe: installation.describe, ...(await installation.status()) };
  });
  return { action: known, engine: name ?? null, engines: await Promise.all(states) };
}
