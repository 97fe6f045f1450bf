import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findProgram, foundServer } from './found.ts';
import { freePort, startServer, type ServerProcess } from './process.ts';

const PROGRAMS = ['munged', 'munge', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'sinfo'];

function missing(): string | undefined {
  const lacking = PROGRAMS.filter((name) => findProgram(name) === null);
  if (lacking.length > 0) {
    return `there is no ${lacking.join(', ')}; run "apt-get install --no-install-recommends slurm-wlm slurm-client munge"`;
  }
  return process.getuid?.() === 0 ? undefined : 'slurmd and its tasks need root';
}

/** Whether Slurm can run here. */
export const slurmHere = foundServer(missing());

/** One machine as a cluster: a controller and a node on the loopback address. */
export interface SlurmCluster {
  /** For commands of Slurm, and whatever calls them. */
  readonly env: Readonly<Record<string, string>>;
  /** Submits a script and gives its number. `flags` as sbatch takes them: `--array=0-3`. */
  readonly submit: (script: string, flags?: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>;
  /** The state of each task of an array by its index: `{ 0: 'COMPLETED', 2: 'FAILED' }`. */
  readonly states: (job: string) => Promise<Readonly<Record<string, string>>>;
  /** The states, once all tasks have ended. */
  readonly ended: (job: string, withinMs?: number) => Promise<Readonly<Record<string, string>>>;
  /** Processes of a task whose command line contains `words`. */
  readonly processesOf: (job: string, task: number, words: string) => readonly number[];
  readonly stop: () => Promise<void>;
}

interface Ports {
  readonly controller: number;
  readonly node: number;
}

/** One node of so many processors, whatever the machine has: `config_overrides`. */
function configuration(folder: string, name: string, processors: number, { controller, node }: Ports): string {
  const at = (path: string): string => join(folder, path);
  return [
    'ClusterName=permafrost',
    `SlurmctldHost=${name}(127.0.0.1)`,
    'SlurmUser=root',
    'SlurmdUser=root',
    'AuthType=auth/munge',
    `AuthInfo=socket=${at('munge/munge.socket')}`,
    'CredType=cred/munge',
    `SlurmctldPort=${controller}`,
    `SlurmdPort=${node}`,
    `StateSaveLocation=${at('state')}`,
    `SlurmdSpoolDir=${at('spool')}`,
    `SlurmctldPidFile=${at('slurmctld.pid')}`,
    `SlurmdPidFile=${at('slurmd.pid')}`,
    `SlurmctldLogFile=${at('slurmctld.log')}`,
    `SlurmdLogFile=${at('slurmd.log')}`,
    'SlurmdParameters=config_overrides',
    'ProctrackType=proctrack/pgid',
    'TaskPlugin=task/none',
    'JobAcctGatherType=jobacct_gather/none',
    'AccountingStorageType=accounting_storage/none',
    'MpiDefault=none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core',
    'ReturnToService=2',
    'JobRequeue=1',
    'KillWait=5',
    'MinJobAge=600',
    `NodeName=${name} NodeAddr=127.0.0.1 CPUs=${processors} Boards=1 SocketsPerBoard=1 CoresPerSocket=${processors} ThreadsPerCore=1 RealMemory=1000 State=UNKNOWN`,
    `PartitionName=main Nodes=${name} Default=YES MaxTime=INFINITE State=UP`,
    '',
  ].join('\n');
}

const idOf = (kind: '-u' | '-g'): number => Number(execFileSync('id', [kind, 'munge'], { encoding: 'utf8' }));

/** munged of its own, with a key of its own: the system's service is not needed, nor touched. */
async function startMunge(folder: string): Promise<ServerProcess> {
  const [uid, gid] = [idOf('-u'), idOf('-g')];
  mkdirSync(folder, { mode: 0o711 });
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('munge.key'), randomBytes(128), { mode: 0o400 });
  for (const path of [folder, at('munge.key')]) chownSync(path, uid, gid);
  const files = ['key-file=munge.key', 'socket=munge.socket', 'pid-file=munged.pid', 'seed-file=munged.seed'];
  const flags = [...files, 'log-file=munged.log'].map((flag) => {
    const [name, file] = flag.split('=') as [string, string];
    return `--${name}=${at(file)}`;
  });
  return startServer(findProgram('munged')!, ['--foreground', ...flags], {
    uid,
    gid,
    isReady: () => promisify(execFile)('munge', ['--no-input', `--socket=${at('munge.socket')}`]),
  });
}

/** The environment that a process was started with; of others' processes that have just ended, none. */
function environmentOf(pid: string): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
  } catch {
    return '';
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Starts munged, slurmctld and slurmd with so many processors; what is started later ends first. */
export async function startSlurm(processors = 2): Promise<SlurmCluster> {
  slurmHere.require();
  const folder = mkdtempSync(join(tmpdir(), 'permafrost-slurm-'));
  // munged runs as a user of its own and must reach its socket.
  chmodSync(folder, 0o755);
  const name = hostname().split('.')[0]!;
  const conf = join(folder, 'slurm.conf');
  for (const part of ['state', 'spool']) mkdirSync(join(folder, part));
  writeFileSync(conf, configuration(folder, name, processors, { controller: await freePort(), node: await freePort() }));
  const env = { SLURM_CONF: conf };
  const ask = async (program: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, ...env, ...more } });
    return stdout.trim();
  };
  const started: ServerProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const server of started.toReversed()) await server.end();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    started.push(await startMunge(join(folder, 'munge')));
    const isReady = (): Promise<string> => ask('scontrol', ['show', 'config']);
    started.push(await startServer(findProgram('slurmctld')!, ['-D', '-f', conf], { env, isReady }));
    const isIdle = async (): Promise<void> => {
      const state = await ask('sinfo', ['-h', '-o', '%T']);
      if (state !== 'idle') throw new Error(`the node is ${state}`);
    };
    started.push(
      await startServer(findProgram('slurmd')!, ['-D', '-f', conf, '-N', name], { env, isReady: isIdle, withinMs: 60_000 }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const states: SlurmCluster['states'] = async (job) => {
    const lines = (await ask('squeue', ['-h', '-r', '-t', 'all', '-j', job, '-o', '%K %T'])).split('\n');
    return Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
  };
  return {
    env,
    submit: (script, flags = [], more) => ask('sbatch', ['--parsable', ...flags, script], more),
    states,
    async ended(job, withinMs = 120_000) {
      const isOver = (state: string): boolean => !['PENDING', 'CONFIGURING', 'RUNNING', 'COMPLETING'].includes(state);
      for (const deadline = performance.now() + withinMs; ; await sleep(200)) {
        const found = await states(job);
        if (Object.values(found).every(isOver)) return found;
        if (performance.now() > deadline) throw new Error(`job ${job} goes on: ${JSON.stringify(found)}`);
      }
    },
    processesOf: (job, task, words) =>
      readdirSync('/proc')
        .filter((pid) => /^\d+$/.test(pid))
        .filter((pid) => {
          const variables = environmentOf(pid);
          const isOfTask =
            variables.includes(`\0SLURM_ARRAY_JOB_ID=${job}\0`) &&
            variables.includes(`\0SLURM_ARRAY_TASK_ID=${task}\0`);
          return isOfTask && commandOf(pid).includes(words);
        })
        .map(Number),
    stop,
  };
}
