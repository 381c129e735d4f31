/** A tar archive of a few small files, made in memory: the whole context of a build. Source: POSIX.1-1988, ustar. */

const BLOCK = 512;

/** Names have at most 100 bytes. */
export function packFiles(files: Readonly<Record<string, string>>): Buffer {
  const packed = Object.entries(files).map(([name, text]) => packFile(name, text));
  return Buffer.concat([...packed, Buffer.alloc(2 * BLOCK)]);
}

function packFile(name: string, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0, 100);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(content.length, 11), 124);
  // No time of this machine: the same recipe makes the same archive.
  header.write(octal(0, 11), 136);
  // The sum is made with blanks where it will stand.
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  );
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, content, padding]);
}
