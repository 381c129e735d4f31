/** The doctor's judgement: facts in, findings with their fixes out. Pure. */
import { assertNever } from '../../config/errors.ts';
import type { HomeHolder } from '../lock.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import { formatBytes, formatDuration } from '../output/units.ts';
import type {
  AgentImagesFact,
  ClockFact,
  DatabaseFact,
  DiskFact,
  DockerFact,
  DoctorFacts,
  HomeFact,
  HostFact,
  ImageFact,
  InotifyFact,
} from './facts.ts';
import { planGateway } from './plan-gateway.ts';
import { planModels } from './plan-models.ts';
import { planVault } from './plan-vault.ts';

/** `warning`: works, but look at it. `failed`: the host cannot do its work. */
export type Verdict = 'ok' | 'warning' | 'failed';

export interface Finding {
  /** Stable for scripts. */
  check: string;
  title: string;
  verdict: Verdict;
  detail: string;
  /** What to type, exactly; null when nothing is wrong. */
  fix: string | null;
}

export const MIN_NODE_MAJOR = 20;
const MIN_DOCKER_MAJOR = 20;
/** Below the first new messages are refused; below the second an image build may not fit. */
const FAILED_FREE_BYTES = 64 * 1024 * 1024;
const LOW_FREE_BYTES = 2 * 1024 * 1024 * 1024;
const LOW_FREE_INODES = 10_000;
/** A file's time and the process's clock differ by the file system's granularity at least. */
const SKEW_WARNING_MS = 2_000;
/** A file this far in the future means that the clock went back. */
const FUTURE_WARNING_MS = 60_000;
const EARLIEST_NOW = Date.UTC(2026, 0, 1);
/** One instance for each watching process of a user, containers included. */
const LOW_INOTIFY_INSTANCES = 128;
const LOW_INOTIFY_WATCHES = 8_192;

const START = 'npm run up';

/** Every check's finding, in the order a person would mend them. `protocolVersion` is this program's. */
export function planFindings(facts: DoctorFacts, protocolVersion: number): Finding[] {
  return [
    planNode(facts.nodeVersion),
    ...planHome(facts.home),
    planDisk(facts.disk),
    planDatabase(facts.database),
    planDocker(facts.docker),
    ...(facts.docker.kind === 'not-used' ? [] : [planImage(facts.image, protocolVersion)]),
    ...planAgentImages(facts.agentImages),
    planHost(facts.host, protocolVersion),
    ...(facts.host.kind === 'running' ? [planDeliveries(facts.host.overdue), planGateway(facts.host.gateway)] : []),
    planLock(facts.holder, facts.host),
    ...planVault(facts.vault),
    ...planModels(facts.models),
    planClock(facts.clock),
    planTimeZone(facts.clock),
    ...(facts.inotify === null ? [] : [planInotify(facts.inotify)]),
  ];
}

function ok(check: string, title: string, detail: string): Finding {
  return { check, title, verdict: 'ok', detail, fix: null };
}

function planNode(version: string): Finding {
  const major = Number.parseInt(version, 10);
  if (major >= MIN_NODE_MAJOR) return ok('node', 'Node.js', version);
  return {
    check: 'node',
    title: 'Node.js',
    verdict: 'failed',
    detail: `${version}; needs ${MIN_NODE_MAJOR} or newer`,
    fix: 'install Node.js 20 or newer: https://nodejs.org/en/download',
  };
}

function planHome(home: HomeFact): Finding[] {
  const title = 'Home';
  switch (home.kind) {
    case 'missing':
      return [{ check: 'home', title, verdict: 'failed', detail: `${home.path} does not exist yet`, fix: START }];
    case 'not-a-folder':
      return [
        {
          check: 'home',
          title,
          verdict: 'failed',
          detail: `${home.path} is not a folder`,
          fix: `mv ${shellWord(home.path)} ${shellWord(`${home.path}.old`)} && ${START}`,
        },
      ];
    case 'folder':
      return [planHomeFolder(home), planSecrets(home)];
    default:
      return assertNever(home);
  }
}

function planHomeFolder(home: Extract<HomeFact, { kind: 'folder' }>): Finding {
  const check = 'home';
  const title = 'Home';
  const path = shellWord(home.path);
  if (home.uid !== null && home.folder.uid !== home.uid) {
    return {
      check,
      title,
      verdict: home.isWritable ? 'warning' : 'failed',
      detail: `${home.path} belongs to user ${home.folder.uid}, you are ${home.uid}`,
      fix: `sudo -u '#${home.folder.uid}' portolan doctor`,
    };
  }
  if (!home.isWritable) {
    return { check, title, verdict: 'failed', detail: `${home.path} is not writable`, fix: `chmod u+rwx ${path}` };
  }
  if ((home.folder.mode & 0o077) !== 0) {
    const detail = `${home.path} is open to other users (mode ${formatMode(home.folder.mode)})`;
    return { check, title, verdict: 'failed', detail, fix: `chmod 700 ${path}` };
  }
  // Source: sun_path of unix(7) holds 108 bytes with the closing zero.
  if (home.socketPathBytes > 107) {
    const detail = `its path is too long for a socket (${home.socketPathBytes} of 107 bytes)`;
    return { check, title, verdict: 'failed', detail, fix: `PORTOLAN_HOME=~/portolan ${START}` };
  }
  return ok(check, title, home.path);
}

function planSecrets(home: Extract<HomeFact, { kind: 'folder' }>): Finding {
  const check = 'permissions';
  const title = 'Permissions';
  const open = home.secrets.filter((file) => (file.mode & 0o077) !== 0);
  const foreign = [...home.secrets, ...home.files].filter((file) => file.uid !== home.folder.uid);
  if (open.length > 0) {
    return {
      check,
      title,
      verdict: 'failed',
      detail: `others may read ${open.map((file) => `${file.path} (${formatMode(file.mode)})`).join(', ')}`,
      fix: `chmod go= ${open.map((file) => shellWord(file.path)).join(' ')}`,
    };
  }
  if (foreign.length > 0) {
    const [first] = foreign;
    return {
      check,
      title,
      verdict: 'failed',
      detail: `of another owner than the home: ${foreign.map((file) => file.path).join(', ')} (user ${first?.uid})`,
      fix: `sudo chown ${home.folder.uid} ${foreign.map((file) => shellWord(file.path)).join(' ')}`,
    };
  }
  return ok(
    check,
    title,
    home.secrets.length === 0 ? 'nothing private is open' : 'sockets, tokens and keys are closed to others',
  );
}

function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function planDisk(disk: DiskFact): Finding {
  const check = 'disk';
  const title = 'Disk';
  const detail = `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} free at ${disk.path}`;
  const fix = `du -xh --max-depth=2 ${shellWord(disk.path)} | sort -h | tail; docker system df`;
  if (disk.freeBytes < FAILED_FREE_BYTES) {
    return { check, title, verdict: 'failed', detail: `${detail}: new messages are refused`, fix };
  }
  if (disk.freeInodes !== null && disk.freeInodes < LOW_FREE_INODES) {
    return { check, title, verdict: 'warning', detail: `only ${disk.freeInodes} files more fit at ${disk.path}`, fix };
  }
  if (disk.freeBytes < LOW_FREE_BYTES) return { check, title, verdict: 'warning', detail, fix };
  return ok(check, title, detail);
}

function planDatabase(database: DatabaseFact): Finding {
  const check = 'database';
  const title = 'Database';
  switch (database.kind) {
    case 'missing':
      return { check, title, verdict: 'failed', detail: 'central.db does not exist yet', fix: START };
    case 'unreadable':
      return {
        check,
        title,
        verdict: 'failed',
        detail: `central.db cannot be read (${database.reason})`,
        fix: 'portolan stop; then put the last backup of central.db in its place',
      };
    case 'version': {
      const { version, known } = database;
      if (version === known) return ok(check, title, `version ${version}`);
      if (version < known) {
        const detail = `version ${version}; this program brings it to ${known} when the host starts`;
        return { check, title, verdict: 'warning', detail, fix: `portolan stop; ${START}` };
      }
      const detail = `version ${version} is newer than this program, which knows ${known}`;
      return { check, title, verdict: 'failed', detail, fix: `git pull && ${START}` };
    }
    default:
      return assertNever(database);
  }
}

function planDocker(docker: DockerFact): Finding {
  const check = 'docker';
  const title = 'Docker';
  const failed = (detail: string, fix: string): Finding => ({ check, title, verdict: 'failed', detail, fix });
  switch (docker.kind) {
    case 'not-used':
      return ok(check, title, 'not used: PORTOLAN_DRIVER is process');
    case 'answers': {
      const major = Number.parseInt(docker.version, 10);
      if (major < MIN_DOCKER_MAJOR) {
        return failed(`${docker.version}; needs ${MIN_DOCKER_MAJOR} or newer`, 'sudo apt-get install docker.io');
      }
      const missing = [
        ...(docker.memoryLimit ? [] : ['memory limits']),
        ...(docker.pidsLimit ? [] : ['process limits']),
        ...(docker.hasSeccomp ? [] : ['seccomp']),
      ];
      if (missing.length > 0) {
        const detail = `${docker.version} works without ${missing.join(', ')}: containers are less closed`;
        const fix = 'enable the memory and pids cgroup controllers and seccomp in the kernel: docker info';
        return { check, title, verdict: 'warning', detail, fix };
      }
      return ok(check, title, `${docker.version} at ${docker.endpoint}`);
    }
    case 'no-socket':
      return failed(`no Docker Engine at ${docker.endpoint}`, `${START}   # or: sudo systemctl start docker`);
    case 'refuses-connection':
      return failed(`the Docker Engine at ${docker.endpoint} does not run`, 'sudo systemctl start docker');
    case 'no-permission':
      return failed(`you may not use ${docker.endpoint}`, 'sudo usermod -aG docker "$USER" && newgrp docker');
    case 'silent':
      return failed(
        `${docker.endpoint} did not answer within ${formatDuration(docker.afterMs)}`,
        'sudo systemctl restart docker',
      );
    case 'strange':
      return failed(`${docker.endpoint}: ${docker.reason}`, 'docker version');
    default:
      return assertNever(docker);
  }
}

/** One that is missing is built again with the agent's next message; nothing is said where no agent has packages. */
function planAgentImages(images: AgentImagesFact): Finding[] {
  if (images.kind === 'unknown' || images.agents.length === 0) return [];
  const check = 'agent-images';
  const title = 'Agents’ own images';
  const failed = images.agents.find(({ hasFailed }) => hasFailed);
  if (failed !== undefined) {
    const detail = `that of ${oneLine(failed.name)} could not be built again`;
    return [{ check, title, verdict: 'warning', detail, fix: `portolan builds retry ${shellWord(failed.name)}` }];
  }
  const missing = images.agents.filter(({ isThere }) => !isThere).length;
  const later = missing === 0 ? '' : `; ${missing} more when next needed`;
  return [ok(check, title, `${images.agents.length - missing} on this engine${later}`)];
}

function planImage(image: ImageFact, protocolVersion: number): Finding {
  const check = 'image';
  const title = 'Agent image';
  switch (image.kind) {
    case 'unknown':
      return { check, title, verdict: 'failed', detail: 'cannot be looked up without Docker', fix: START };
    case 'missing':
      return { check, title, verdict: 'failed', detail: `${image.name} is not built`, fix: START };
    case 'present':
      if (image.protocol === String(protocolVersion)) {
        return ok(check, title, `${image.name}, protocol ${image.protocol}`);
      }
      return {
        check,
        title,
        verdict: 'failed',
        detail: `${image.name} speaks protocol ${image.protocol ?? 'unknown'}, this program ${protocolVersion}`,
        fix: START,
      };
    default:
      return assertNever(image);
  }
}

function planHost(host: HostFact, protocolVersion: number): Finding {
  const check = 'host';
  const title = 'Host';
  switch (host.kind) {
    case 'running':
      if (host.protocolVersion !== protocolVersion) {
        const detail = `runs version ${host.version} (protocol ${host.protocolVersion}), this program has protocol ${protocolVersion}`;
        return { check, title, verdict: 'warning', detail, fix: `portolan stop; ${START}` };
      }
      if (!host.engineOk) {
        const detail = `runs, but cannot start containers: ${host.engineDetail}`;
        return { check, title, verdict: 'failed', detail, fix: 'see Docker and Agent image above' };
      }
      return ok(check, title, `runs, version ${host.version}`);
    case 'stopped':
      return { check, title, verdict: 'warning', detail: 'does not run', fix: START };
    case 'stale-socket':
      return {
        check,
        title,
        verdict: 'warning',
        detail: `does not run; its socket ${host.path} is left over`,
        fix: START,
      };
    case 'no-permission': {
      const detail = `you may not use its socket ${host.path}`;
      return { check, title, verdict: 'failed', detail, fix: 'run portolan as the user that runs the host' };
    }
    case 'silent':
      return {
        check,
        title,
        verdict: 'failed',
        detail: `does not answer: ${host.reason}`,
        fix: `portolan logs; portolan stop; ${START}`,
      };
    default:
      return assertNever(host);
  }
}

function planDeliveries(overdue: number): Finding {
  const check = 'deliveries';
  const title = 'Deliveries';
  if (overdue === 0) return ok(check, title, 'none is overdue');
  const what = overdue === 1 ? '1 message waits' : `${overdue} messages wait`;
  const detail = `${what} for a platform for more than a minute, and will be tried again`;
  return { check, title, verdict: 'warning', detail, fix: 'portolan logs --level warn' };
}

function planLock(holder: HomeHolder, host: HostFact): Finding {
  const check = 'lock';
  const title = 'Lock';
  if (holder.kind === 'nobody') {
    if (host.kind !== 'running') return ok(check, title, 'free');
    const detail = 'the host runs without holding its home';
    return { check, title, verdict: 'warning', detail, fix: `portolan stop; ${START}` };
  }
  const who = holder.pid === null ? 'a process' : `process ${holder.pid}`;
  if (host.kind !== 'stopped' && host.kind !== 'stale-socket') return ok(check, title, `held by ${who}`);
  const fix = holder.pid === null ? 'fuser -v host.lock' : `kill ${holder.pid}; ${START}`;
  return { check, title, verdict: 'failed', detail: `held by ${who}, which does not listen`, fix };
}

function planClock(clock: ClockFact): Finding {
  const check = 'clock';
  const title = 'Clock';
  const fix = 'sudo timedatectl set-ntp true   # or: sudo hwclock --hctosys';
  if (clock.now < EARLIEST_NOW) {
    return { check, title, verdict: 'failed', detail: `says ${new Date(clock.now).toISOString()}`, fix };
  }
  if (clock.skewMs !== null && Math.abs(clock.skewMs) > SKEW_WARNING_MS) {
    const detail = `files are stamped ${formatDuration(Math.abs(clock.skewMs))} ${clock.skewMs > 0 ? 'ahead' : 'behind'}`;
    return { check, title, verdict: 'warning', detail, fix };
  }
  if (clock.futureMs > FUTURE_WARNING_MS) {
    const detail = `went back: files of the home lie ${formatDuration(clock.futureMs)} in the future`;
    return { check, title, verdict: 'warning', detail, fix };
  }
  return ok(check, title, new Date(clock.now).toISOString());
}

function planTimeZone(clock: ClockFact): Finding {
  if (clock.isTimeZoneValid) return ok('time-zone', 'Time zone', clock.timeZone);
  return {
    check: 'time-zone',
    title: 'Time zone',
    verdict: 'warning',
    detail: `"${clock.timeZone}" is no IANA time zone: times are shown in UTC`,
    fix: 'export TZ=Europe/Berlin   # your own zone: timedatectl list-timezones',
  };
}

function planInotify(inotify: InotifyFact): Finding {
  const check = 'inotify';
  const title = 'File events';
  const { maxInstances, maxWatches } = inotify;
  const detail = `${maxInstances} instances, ${maxWatches} watches per user`;
  const settings = [
    ...(maxInstances < LOW_INOTIFY_INSTANCES ? ['fs.inotify.max_user_instances=1024'] : []),
    ...(maxWatches < LOW_INOTIFY_WATCHES ? ['fs.inotify.max_user_watches=65536'] : []),
  ];
  if (settings.length === 0) return ok(check, title, detail);
  return {
    check,
    title,
    verdict: 'warning',
    detail: `${detail}: with many containers the host falls back to polling`,
    fix: `sudo sysctl ${settings.join(' ')}`,
  };
}
