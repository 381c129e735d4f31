/** As much of a terminal as readline and the chat use: what a person sees after all those sequences. */

const SEQUENCE = new RegExp(`${String.fromCharCode(27)}\\[([0-9;]*)([A-Za-z])`, 'y');

/** Lines on the screen, without trailing spaces and without empty ones at the end. Nothing scrolls away. */
export function emulateScreen(output: string, columns: number): string[] {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  const lineAt = (at: number): string[] => {
    while (lines.length <= at) lines.push([]);
    return lines[at] ?? [];
  };
  for (let at = 0; at < output.length; ) {
    SEQUENCE.lastIndex = at;
    const sequence = SEQUENCE.exec(output);
    if (sequence !== null) {
      at = SEQUENCE.lastIndex;
      const count = Number(sequence[1] || 1);
      if (sequence[2] === 'A') row = Math.max(0, row - count);
      else if (sequence[2] === 'B') row += count;
      else if (sequence[2] === 'C') column += count;
      else if (sequence[2] === 'D') column = Math.max(0, column - count);
      else if (sequence[2] === 'G') column = count - 1;
      else if (sequence[2] === 'J') {
        lineAt(row).length = Math.min(lineAt(row).length, column);
        lines.length = row + 1;
      } else if (sequence[2] === 'K') lineAt(row).length = Math.min(lineAt(row).length, column);
      else if (sequence[2] !== 'm') throw new Error(`a sequence the emulator does not know: ${sequence[0]}`);
      continue;
    }
    const character = String.fromCodePoint(output.codePointAt(at) ?? 0);
    at += character.length;
    if (character === '\r') column = 0;
    else if (character === '\n') {
      // As a terminal in cooked output: a newline returns the carriage.
      row++;
      column = 0;
      lineAt(row);
    } else {
      if (column >= columns) {
        row++;
        column = 0;
      }
      const line = lineAt(row);
      while (line.length < column) line.push(' ');
      line[column++] = character;
    }
  }
  const text = lines.map((line) => line.join('').trimEnd());
  while (text.at(-1) === '') text.pop();
  return text;
}
