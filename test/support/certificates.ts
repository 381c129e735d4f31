/** Certificates that a test signs itself: X.509 v3 (RFC 5280) on P-256, written out in DER. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';

export interface Issued {
  /** PEM. */
  cert: string;
  key: string;
}

export interface Authority extends Issued {
  issue(names: readonly string[], more?: { from?: Date; until?: Date }): Issued;
}

const DAY_MS = 24 * 3_600_000;
const OIDS = { commonName: '550403', basicConstraints: '551d13', alternativeName: '551d11' };
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';

let serial = 1;

/** One that is believed by whoever is given its `cert`. */
export function makeAuthority(commonName: string): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = { commonName, publicKey: pair.publicKey, names: [], isAuthority: true, ...validity({}) };
  return {
    ...toIssued(own, { commonName, privateKey: pair.privateKey }, pair.privateKey),
    issue: (names, more = {}) => {
      const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const told = { commonName: names[0] ?? '', publicKey: leaf.publicKey, names, isAuthority: false };
      const issuer = { commonName, privateKey: pair.privateKey };
      return toIssued({ ...told, ...validity(more) }, issuer, leaf.privateKey);
    },
  };
}

/** Signed by nobody but itself. */
export function makeSelfSigned(names: readonly string[]): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const commonName = names[0] ?? '';
  const told = { commonName, publicKey, names, isAuthority: false, ...validity({}) };
  return toIssued(told, { commonName, privateKey }, privateKey);
}

interface Told {
  commonName: string;
  publicKey: KeyObject;
  names: readonly string[];
  isAuthority: boolean;
  from: Date;
  until: Date;
}

function validity({ from, until }: { from?: Date; until?: Date }) {
  return { from: from ?? new Date(Date.now() - DAY_MS), until: until ?? new Date(Date.now() + DAY_MS) };
}

function toIssued(told: Told, issuer: { commonName: string; privateKey: KeyObject }, key: KeyObject): Issued {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const extensions = [extension(OIDS.basicConstraints, sequence(...(told.isAuthority ? [TRUE] : [])), true)];
  if (told.names.length > 0) extensions.push(extension(OIDS.alternativeName, sequence(...told.names.map(altName))));
  const toBeSigned = sequence(
    der(0xa0, integer(2)),
    integer(serial++),
    algorithm,
    name(issuer.commonName),
    sequence(time(told.from), time(told.until)),
    name(told.commonName),
    told.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', toBeSigned, issuer.privateKey);
  const whole = sequence(toBeSigned, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const TRUE = der(0x01, Buffer.from([0xff]));

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** Below 2^15. */
function integer(value: number): Buffer {
  return der(0x02, Buffer.from(value < 128 ? [value] : [value >> 8, value & 255]));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(OIDS.commonName), der(0x0c, Buffer.from(commonName)))));
}

/** GeneralizedTime. */
function time(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`));
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [TRUE] : []), der(0x04, value));
}

function altName(text: string): Buffer {
  return isIP(text) === 4 ? der(0x87, Buffer.from(text.split('.').map(Number))) : der(0x82, Buffer.from(text));
}
