/** Why a server outside did not answer, in words for an agent and its people. Pure. */
import { errorCode } from '../config/errors.ts';
import { formatHost } from './hosts.ts';
import type { Passage } from './plan.ts';

const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection: nothing listens there',
  ECONNRESET: 'closed the connection without an answer',
  EPIPE: 'closed the connection without an answer',
  EHOSTUNREACH: 'cannot be reached from this machine',
  ENETUNREACH: 'cannot be reached from this machine',
  ETIMEDOUT: 'did not take the connection in time',
};

export function describeFailure(error: Error, { upstream: { host, port } }: Passage): string {
  return `${formatHost(host)}:${port} ${wordsFor(error)}.`;
}

function wordsFor(error: Error): string {
  const code = errorCode(error);
  if (error.message === 'late') return 'did not take the connection in time';
  if (error.message === 'idle') return 'did not answer in time';
  if (error.message === 'announced') return 'only said again and again that an answer will come';
  if (error.message === 'upgrade') return 'answered in another protocol, which only a tunnel (CONNECT) carries';
  if (code.startsWith('HPE_')) return `answered with what is no HTTP/1.1 (${code})`;
  if (/^(?:CERT_|UNABLE_|DEPTH_|SELF_SIGNED|ERR_TLS|ERR_SSL|HOSTNAME_)/.test(code) || code === 'EPROTO') {
    return `cannot be trusted: its TLS or certificate is wrong (${code})`;
  }
  return BY_CODE[code] ?? `cannot be reached (${code === '' ? 'no reason given' : code})`;
}
