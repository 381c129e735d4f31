/** What an owner's own service is made of, judged before it is kept. Pure. */
import { localNameSchema } from '../../shared/protocol.ts';
import type { Refused } from '../vault/state.ts';
import { type AddressClass, classifyAddress } from './addresses.ts';
import { type Host, parseHost } from './hosts.ts';

export interface ServiceInput {
  name: string;
  url: string;
  api: 'anthropic' | 'openai' | null;
  /** `Name: value`, with `{}` where the secret goes; `none`; null: what its API asks for. */
  header: string | null;
  isPrivate: boolean;
}

export interface PlannedService {
  name: string;
  baseUrl: string;
  api: 'anthropic' | 'openai' | null;
  header: string;
  headerValue: string;
  isPrivate: boolean;
}

type Plan<T> = { kind: 'service'; service: T } | Refused;
type Header = Pick<PlannedService, 'header' | 'headerValue'>;

/** Longer ones are no address that somebody typed. */
const MAX_URL_LENGTH = 500;
const MAX_HEADER_LENGTH = 300;
const PLAIN_HTTP = 'https://…; or --private, when it is a machine of yours';
/** RFC 9110, token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** What says how a message is framed, where it goes, or how long a connection lives is the gateway's. */
const OWN_HEADERS =
  /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.*|expect|accept-encoding|cookie|forwarded|x-forwarded-.*|x-portolan-.*)$/;
/** Where the secret goes. */
const PLACE = /\{(?:base64:[^{}]*)?\}/g;

const BY_API: Readonly<Record<'anthropic' | 'openai' | 'none', Header>> = {
  anthropic: { header: 'x-api-key', headerValue: '{}' },
  openai: { header: 'authorization', headerValue: 'Bearer {}' },
  none: { header: '', headerValue: '' },
};

/** Refusals: `bad_name`, `bad_url`, `private_url`, `bad_header`. */
export function planService({ name, url, api, header, isPrivate }: ServiceInput): Plan<PlannedService> {
  if (!localNameSchema.safeParse(name).success) {
    return refuse('bad_name', 'That is no name for a service.', '1 to 63 of a–z, 0–9 and "-", such as ollama');
  }
  const address = planUrl(url, isPrivate);
  if (typeof address !== 'string') return address;
  const credential = planHeader(header, api);
  if ('kind' in credential) return credential;
  return { kind: 'service', service: { name, baseUrl: address, api, ...credential, isPrivate } };
}

/** The URL as it is kept. */
function planUrl(text: string, isPrivate: boolean): string | Refused {
  const bad = (why: string, expected = 'http(s)://host[:port][/path], such as https://api.example.com/v1') =>
    refuse('bad_url', why, expected);
  const url = text.length > MAX_URL_LENGTH || /[\s\p{Cc}\\]/u.test(text) ? null : parseUrl(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hostname === '') {
    return bad('That is no address of a service.');
  }
  if (url.username !== '' || url.password !== '') {
    return bad('A user or password in the address would stand in lists and logs.', 'an address without user');
  }
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    return bad('The address of a service ends with its path.', 'an address without "?" and "#"');
  }
  if (/%(?:2f|5c|2e)/i.test(text)) return bad('The path of the address hides slashes or dots.');
  const host = parseHost(url.hostname);
  if (host === null) return bad('The host of the address is none.');
  const place = judgeHost(host);
  if (place === 'never') return bad(`${url.hostname} is an address that the gateway never connects to.`);
  if (!isPrivate && place === 'private') {
    return refuse(
      'private_url',
      `${url.hostname} is on this machine or network.`,
      'an address with a public name; or --private, when you mean a machine of yours',
    );
  }
  if (url.protocol === 'http:' && (!isPrivate || place === 'public')) {
    return refuse('private_url', 'Without TLS everybody on the way reads the secret.', PLAIN_HTTP);
  }
  const path = url.pathname.replace(/\/+$/, '');
  return `${url.origin}${path}`;
}

/** `unknown`: what its name leads to is looked up with each connection. */
function judgeHost({ kind, text }: Host): AddressClass | 'unknown' {
  if (kind === 'address') return classifyAddress(text);
  const isLocal = !text.includes('.') || /\.(localhost|local|internal|lan|home\.arpa)$/.test(text);
  return isLocal ? 'private' : 'unknown';
}

function planHeader(text: string | null, api: PlannedService['api']): Header | Refused {
  if (text === null) return BY_API[api ?? 'none'];
  if (text.trim() === 'none') return BY_API.none;
  const expected = '"Name: value" with {} where the secret goes, such as "Authorization: Bearer {}"; or none';
  const colon = text.indexOf(':');
  const header = text.slice(0, Math.max(0, colon)).trim().toLowerCase();
  const headerValue = text.slice(colon + 1).trim();
  if (text.length > MAX_HEADER_LENGTH || !HEADER_NAME.test(header) || !/^[\x20-\x7e]+$/.test(headerValue)) {
    return refuse('bad_header', 'That is no header with a place for the secret.', expected);
  }
  if (OWN_HEADERS.test(header)) {
    return refuse('bad_header', `The header ${header} is the gateway’s own.`, 'another header');
  }
  // What stands around the place is shown in lists: a key typed here would be no secret.
  if ((headerValue.match(PLACE) ?? []).length !== 1 || /[{}]/.test(headerValue.replace(PLACE, ''))) {
    return refuse('bad_header', 'The header needs {} once, where the secret goes.', expected);
  }
  return { header, headerValue };
}

/** The value of a service's header with the secret in its place. */
export function fillHeader(template: string, secret: string): string {
  return template.replace(PLACE, (place) =>
    place === '{}'
      ? secret
      : Buffer.from(`${place.slice('{base64:'.length, -1)}${secret}`, 'latin1').toString('base64'),
  );
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

function refuse(code: string, why: string, expected: string): Refused {
  return { kind: 'refused', code, why, expected };
}
