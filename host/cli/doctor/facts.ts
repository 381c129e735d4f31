/** What the doctor looks at: each fact with the ways in which it may be unknown. Gathered in gather.ts, judged in plan.ts. */

import type { KeyPlan } from '../../vault/plan-key.ts';
import type { AgentProvider, Status, Vault } from '../client/types.ts';
import type { HomeHolder } from '../lock.ts';

export interface DoctorFacts {
  /** `20.20.2` */
  nodeVersion: string;
  home: HomeFact;
  docker: DockerFact;
  image: ImageFact;
  agentImages: AgentImagesFact;
  disk: DiskFact;
  database: DatabaseFact;
  vault: VaultFact;
  models: ModelsFact;
  host: HostFact;
  holder: HomeHolder;
  clock: ClockFact;
  /** Null where the kernel has no inotify. */
  inotify: InotifyFact | null;
}

export interface FileFact {
  path: string;
  /** Permission bits only. */
  mode: number;
  uid: number;
}

export type HomeFact =
  | { kind: 'missing'; path: string }
  | { kind: 'not-a-folder'; path: string }
  | {
      kind: 'folder';
      path: string;
      /** Who runs the doctor, as a number; null where there are none. */
      uid: number | null;
      isWritable: boolean;
      folder: FileFact;
      /** Those that exist of the files that nobody else may open, whatever the folder above them allows. */
      secrets: FileFact[];
      /** Further ones that must have the home's owner, or the host cannot write them. */
      files: FileFact[];
      socketPathBytes: number;
    };

export type DockerFact =
  /** Containers are asked to be plain processes: nothing of Docker is needed. */
  | { kind: 'not-used' }
  | {
      kind: 'answers';
      endpoint: string;
      version: string;
      memoryLimit: boolean;
      pidsLimit: boolean;
      hasSeccomp: boolean;
    }
  | { kind: 'no-socket'; endpoint: string }
  | { kind: 'refuses-connection'; endpoint: string }
  | { kind: 'no-permission'; endpoint: string }
  | { kind: 'silent'; endpoint: string; afterMs: number }
  | { kind: 'strange'; endpoint: string; reason: string };

export type ImageFact =
  | { kind: 'unknown' }
  | { kind: 'missing'; name: string }
  /** `protocol` is the label of the image, null without one. */
  | { kind: 'present'; name: string; protocol: string | null };

/** Of agents with packages of their own. */
export type AgentImagesFact =
  /** No engine or no database to ask. */
  | { kind: 'unknown' }
  | {
      kind: 'known';
      agents: readonly {
        name: string;
        /** Whether what was built for it last is on the engine. */
        isThere: boolean;
        /** The host could not build it again. */
        hasFailed: boolean;
      }[];
    };

/** What agents think with. */
export type ModelsFact =
  | { kind: 'unknown' }
  | { kind: 'known'; agents: readonly AgentProvider[] }
  /** No host to ask: what its database says. Null: an agent without a model. */
  | { kind: 'recorded'; agents: readonly { agentName: string; service: string | null }[] };

/** Of the file system that holds the home, or would hold it. */
export interface DiskFact {
  path: string;
  freeBytes: number;
  totalBytes: number;
  /** Null on file systems that do not count them. */
  freeInodes: number | null;
}

export type DatabaseFact =
  | { kind: 'missing'; known: number }
  | { kind: 'version'; version: number; known: number }
  | { kind: 'unreadable'; reason: string };

export type VaultFact =
  /** The host does not run, and its database cannot be asked. */
  | { kind: 'unknown' }
  | { kind: 'said'; vault: Vault }
  /** What the next start will come to. */
  | { kind: 'found'; plan: KeyPlan; mayBeElsewhere: boolean };

export type HostFact =
  | {
      kind: 'running';
      version: string;
      protocolVersion: number;
      engineOk: boolean;
      engineDetail: string;
      /** Deliveries that are under way for too long. */
      overdue: number;
      gateway: Status['gateway'];
      vault: Vault;
    }
  | { kind: 'stopped' }
  | { kind: 'stale-socket'; path: string }
  | { kind: 'no-permission'; path: string }
  | { kind: 'silent'; path: string; reason: string };

export interface ClockFact {
  /** Time of a file just written minus the process's clock; null when none could be written. */
  skewMs: number | null;
  /** How far the newest file of the home lies in the future; 0 when none does. */
  futureMs: number;
  timeZone: string;
  isTimeZoneValid: boolean;
  /** Years before the program was made are a clock that was never set. */
  now: number;
}

export interface InotifyFact {
  maxInstances: number;
  maxWatches: number;
}
