import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where true, as in CI, a server that is missing fails the tests that need it; elsewhere they are skipped, saying so. */
const isObligatory = process.env.PERMAFROST_REQUIRE_SERVERS === '1';

/** The path of a program: the first of these names that is on the PATH, or where Debian keeps daemons; else null. */
export function findProgram(...names: readonly string[]): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        continue;
      }
    }
  }
  return null;
}

/** Whether a real server can be started here, and how suites say that it cannot. */
export interface FoundServer {
  /** For describe.skipIf: true where it is missing and may be. */
  readonly isSkipped: boolean;
  /** The name of a suite that needs it, saying why it is skipped where it is. */
  readonly needs: (title: string) => string;
  /** Throws what is missing; called before it is started, so that obligatory tests fail by their reason. */
  readonly require: () => void;
}

/** `missing` is undefined where all is there, else says in one line what is lacking and how to get it. */
export function foundServer(missing: string | undefined): FoundServer {
  const isSkipped = missing !== undefined && !isObligatory;
  return {
    isSkipped,
    needs: (title) => (isSkipped ? `${title} [skipped: ${missing}]` : title),
    require() {
      if (missing !== undefined) throw new Error(`PERMAFROST_REQUIRE_SERVERS is set, and ${missing}`);
    },
  };
}
