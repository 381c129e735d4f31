/**
 * Which addresses may be connected to. Pure. What is not known to be public is not (I11): the lists follow the
 * special-purpose registries of IANA, read in November 2026.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';

/** `private`: this machine or network, for those that an owner allowed; `never`: for nobody. */
export type AddressClass = 'public' | 'private' | 'never';

type Range = readonly [network: string, prefix: number];

/** Where machines tell their own credentials to whoever asks from the right place. */
const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
] as const;

const PRIVATE_4: readonly Range[] = [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  // Carriers' own, and overlay networks.
  ['100.64.0.0', 10],
];

const NEVER_4: readonly Range[] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Multicast, reserved and broadcast.
  ['224.0.0.0', 3],
];

const PRIVATE_6: readonly Range[] = [
  ['::1', 128],
  ['fc00::', 7],
];

/** Everything public is in here, except what follows. */
const GLOBAL_6: readonly Range[] = [['2000::', 3]];

const NEVER_6: readonly Range[] = [
  // Protocol assignments, with Teredo, benchmarks and ORCHID: some lead on to other addresses.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4 leads on to an IPv4 address.
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

const [metadata4, metadata6] = [METADATA.filter(isIPv4), METADATA.filter((one) => !isIPv4(one))];
const never4 = [...metadata4.map((one): Range => [one, 32]), ...NEVER_4].map(toRange4);
const private4 = PRIVATE_4.map(toRange4);
const never6 = blockList([...metadata6.map((one): Range => [one, 128]), ...NEVER_6]);
const private6 = blockList(PRIVATE_6);
const global6 = blockList(GLOBAL_6);

/** `own` holds the addresses of this machine, which are private though they look public. */
export function classifyAddress(address: string, own: ReadonlySet<string> = new Set()): AddressClass {
  const family = isIP(address);
  // A zone (fe80::1%eth0) names an interface of this machine.
  if (family === 0 || address.includes('%')) return 'never';
  if (family === 4) return classify4(address, own);
  const groups = expand(address);
  const embedded = embedded4(groups);
  if (embedded !== null) return classify4(embedded, own);
  if (never6.check(address, 'ipv6')) return 'never';
  if (private6.check(address, 'ipv6') || own.has(canonical6(address))) return 'private';
  return global6.check(address, 'ipv6') ? 'public' : 'never';
}

/** Whether it may be connected to; metadata, multicast and reserved ones never. */
export function mayConnect(address: string, allowPrivate: boolean, own?: ReadonlySet<string>): boolean {
  const found = classifyAddress(address, own);
  return found === 'public' || (found === 'private' && allowPrivate);
}

/** An address as `own` holds it. */
export function canonicalAddress(address: string): string {
  return isIPv4(address) ? address : canonical6(address);
}

function classify4(address: string, own: ReadonlySet<string>): AddressClass {
  const number = toNumber4(address);
  if (never4.some((range) => isWithin4(range, number))) return 'never';
  return private4.some((range) => isWithin4(range, number)) || own.has(address) ? 'private' : 'public';
}

/** Addresses that agree in the bits of `mask`. Looked through at each request, where a BlockList takes seven times as long. */
interface Range4 {
  network: number;
  mask: number;
}

function toRange4([network, prefix]: Range): Range4 {
  const mask = (0xffff_ffff << (32 - prefix)) >>> 0;
  return { network: (toNumber4(network) & mask) >>> 0, mask };
}

function isWithin4({ network, mask }: Range4, number: number): boolean {
  return (number & mask) >>> 0 === network;
}

/** Of four decimal numbers, which `isIPv4` has seen to. */
function toNumber4(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

/** The IPv4 address that a mapped (::ffff:0:0/96) or translated (64:ff9b::/96) one stands for. */
function embedded4(groups: readonly number[]): string | null {
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const isTranslated = groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  if (!isMapped && !isTranslated) return null;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function canonical6(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

/** The eight groups of an IPv6 address. */
function expand(address: string): number[] {
  const [head = '', tail] = canonical6(address).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [front, back] = [groups(head), groups(tail ?? '')];
  return tail === undefined ? front : [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}

function blockList(ranges: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, 'ipv6');
  return list;
}
