import { PermafrostError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import type { EngineInstallation } from './installation.ts';

/** Each runtime that can be added, with its installer, whose module is imported only when it is asked for. */
const INSTALLATIONS = {
  openvino: async () => (await import('./openvino/installation.ts')).openVinoInstallation,
  tfjs: async () => (await import('./tfjs/installation.ts')).tfjsInstallation,
} satisfies Record<string, () => Promise<EngineInstallation>>;

/** The names that installationOf takes. */
export const INSTALLABLE = Object.freeze(Object.keys(INSTALLATIONS));

/** The installer of an engine's runtime. Throws OPTION_INVALID for an engine that has none. */
export async function installationOf(name: string): Promise<EngineInstallation> {
  if (!Object.hasOwn(INSTALLATIONS, name)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is nothing to install for an engine "${name}"${suggest(name, INSTALLABLE)}. Choose one of: ${INSTALLABLE.join(', ')} (onnxruntime comes with permafrost).`,
    );
  }
  return INSTALLATIONS[name as keyof typeof INSTALLATIONS]();
}
