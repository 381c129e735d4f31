/** Which of the kinds that models see a file is, by its first bytes: names lie. */

const SIGNS: readonly { kind: string; text: string; at: number }[] = [
  { kind: 'image/png', text: '\x89PNG\r\n\x1a\n', at: 0 },
  { kind: 'image/jpeg', text: '\xff\xd8\xff', at: 0 },
  { kind: 'image/gif', text: 'GIF87a', at: 0 },
  { kind: 'image/gif', text: 'GIF89a', at: 0 },
  { kind: 'image/webp', text: 'WEBP', at: 8 },
  { kind: 'application/pdf', text: '%PDF-', at: 0 },
];

/** Null: none of them. */
export function sniff(bytes: Buffer): string | null {
  const found = SIGNS.find(({ text, at }) => bytes.subarray(at, at + text.length).toString('latin1') === text);
  return found?.kind ?? null;
}
