/**
 * Finds code in Markdown, fenced and inline, because a tag inside code is shown, not meant.
 *
 * I1. When in doubt it is code: a tag hidden in code is not delivered and the agent is asked again;
 *     a tag wrongly taken out of code would send an example to a person.
 * I2. The exception: a region whose `</message>` has no opening inside it swallows the end of a block,
 *     and what follows would go to the wrong chat. Such a region is no code.
 * I3. Linear time: fences look ahead only when a closing fence exists, and I2 is applied a bounded
 *     number of times.
 */
import { isSpace, type Tag } from './tags.ts';

export interface Region {
  start: number;
  end: number;
}

interface FenceLine {
  start: number;
  /** One past the fence and what follows on its line. */
  end: number;
  char: string;
  length: number;
  /** Nothing but the fence on the line, so it can close one. */
  isBare: boolean;
}

/** How often I2 may reject a fence in one text. Higher: a hostile text costs more. */
const MAX_REJECTIONS = 64;

/** Regions of code in order, not overlapping. `tags` are all tags of the text, in order. */
export function findCode(text: string, tags: readonly Tag[]): Region[] {
  if (!text.includes('`') && !text.includes('~~~')) return [];
  const messageTags = tags.filter((tag) => tag.kind === 'open' || tag.kind === 'close');
  const fences = pairFences(findFenceLines(text, tags), messageTags);
  return mergeRegions(fences, findInlineCode(text, fences, messageTags));
}

function findFenceLines(text: string, tags: readonly Tag[]): FenceLine[] {
  const lines: FenceLine[] = [];
  const readAt = (lineStart: number) => {
    let at = lineStart;
    while (text[at] === ' ' || text[at] === '\t') at++;
    const char = text[at];
    if (char !== '`' && char !== '~') return;
    let fenceEnd = at;
    while (text[fenceEnd] === char) fenceEnd++;
    if (fenceEnd - at < 3) return;
    let end = fenceEnd;
    while (end < text.length && text[end] !== '\n' && text[end] !== '`' && text[end] !== '<') end++;
    const isBare = text.slice(fenceEnd, end).trim() === '';
    if (text[end] === '`' && char === '`') return;
    lines.push({ start: at, end: isBare ? fenceEnd : end, char, length: fenceEnd - at, isBare });
  };
  // A line also begins behind an opening tag: `<message to="x">```js` starts a fence.
  const starts = tags.filter((tag) => tag.kind === 'open').map((tag) => tag.end);
  let nextStart = 0;
  for (let at = 0; at !== -1 && at <= text.length; ) {
    readAt(at);
    const newline = text.indexOf('\n', at);
    const lineEnd = newline === -1 ? text.length : newline;
    for (let start = starts[nextStart]; start !== undefined && start <= lineEnd; start = starts[++nextStart]) {
      readAt(start);
    }
    at = newline === -1 ? -1 : newline + 1;
  }
  return lines;
}

function pairFences(lines: readonly FenceLine[], messageTags: readonly Tag[]): Region[] {
  const longestAfter = longestCloserAfter(lines);
  const regions: Region[] = [];
  let rejections = 0;
  for (let index = 0; index < lines.length; index++) {
    const opener = lines[index] as FenceLine;
    if ((longestAfter[index]?.[opener.char === '`' ? 0 : 1] ?? 0) < opener.length) continue;
    let closerIndex = index + 1;
    while (!closes(lines[closerIndex], opener)) closerIndex++;
    const region = { start: opener.start, end: (lines[closerIndex] as FenceLine).end };
    if (rejections < MAX_REJECTIONS && swallowsBlockEnd(region, messageTags)) {
      rejections++;
      continue;
    }
    regions.push(region);
    index = closerIndex;
  }
  return regions;
}

function closes(line: FenceLine | undefined, opener: FenceLine): boolean {
  if (!line) throw new Error('a closing fence was promised and is not there');
  return line.isBare && line.char === opener.char && line.length >= opener.length;
}

/** Per line, the longest bare fence of backticks and of tildes on any later line. */
function longestCloserAfter(lines: readonly FenceLine[]): [number, number][] {
  const longest: [number, number][] = new Array(lines.length);
  let backticks = 0;
  let tildes = 0;
  for (let index = lines.length - 1; index >= 0; index--) {
    longest[index] = [backticks, tildes];
    const line = lines[index] as FenceLine;
    if (!line.isBare) continue;
    if (line.char === '`') backticks = Math.max(backticks, line.length);
    else tildes = Math.max(tildes, line.length);
  }
  return longest;
}

/** I2 for fences: it begins by closing a block and ends by opening one. A lone tag is an example. */
function swallowsBlockEnd(region: Region, messageTags: readonly Tag[]): boolean {
  const first = firstTagFrom(messageTags, region.start);
  const afterLast = firstTagFrom(messageTags, region.end);
  return afterLast - first >= 2 && messageTags[first]?.kind === 'close' && messageTags[afterLast - 1]?.kind === 'open';
}

interface BacktickRun {
  start: number;
  length: number;
  /** Inline code stays within one paragraph. */
  paragraph: number;
}

function findInlineCode(text: string, fences: readonly Region[], messageTags: readonly Tag[]): Region[] {
  const runs = findBacktickRuns(text, fences);
  const partner = new Array<number>(runs.length).fill(-1);
  const latest = new Map<string, number>();
  for (let index = runs.length - 1; index >= 0; index--) {
    const run = runs[index] as BacktickRun;
    const key = `${run.paragraph}:${run.length}`;
    partner[index] = latest.get(key) ?? -1;
    latest.set(key, index);
  }
  const regions: Region[] = [];
  for (let index = 0; index < runs.length; index++) {
    const closer = runs[partner[index] ?? -1];
    const opener = runs[index] as BacktickRun;
    if (!closer) continue;
    const region = { start: opener.start, end: closer.start + closer.length };
    if (isStraySpan(text, region, opener.length, messageTags)) continue;
    regions.push(region);
    index = partner[index] as number;
  }
  return regions;
}

/** I2 for inline code: it closes a block first, and is more than just that tag. */
function isStraySpan(text: string, region: Region, tickCount: number, messageTags: readonly Tag[]): boolean {
  const tag = messageTags[firstTagFrom(messageTags, region.start)];
  if (!tag || tag.start >= region.end || tag.kind !== 'close') return false;
  const before = text.slice(Math.max(region.start + tickCount, tag.start - 2), tag.start);
  const after = text.slice(tag.end, Math.min(region.end - tickCount, tag.end + 2));
  const isOnlyTheTag = tag.start - (region.start + tickCount) <= 2 && region.end - tickCount - tag.end <= 2;
  return !(isOnlyTheTag && before.trim() === '' && after.trim() === '');
}

function findBacktickRuns(text: string, fences: readonly Region[]): BacktickRun[] {
  const runs: BacktickRun[] = [];
  let paragraph = 0;
  let isLineBlank = false;
  let fence = 0;
  for (let at = 0; at < text.length; at++) {
    const region = fences[fence];
    if (region && at >= region.start) {
      at = region.end - 1;
      fence++;
      paragraph++;
      continue;
    }
    const char = text[at] as string;
    if (char === '\n') {
      if (isLineBlank) paragraph++;
      isLineBlank = true;
    } else if (char === '`') {
      isLineBlank = false;
      let end = at;
      while (text[end] === '`') end++;
      // Behind a backslash the first backtick is a plain character.
      const start = text[at - 1] === '\\' && text[at - 2] !== '\\' ? at + 1 : at;
      if (end > start) runs.push({ start, length: end - start, paragraph });
      at = end - 1;
    } else if (!isSpace(char)) isLineBlank = false;
  }
  return runs;
}

/** Index of the first tag that starts at or behind `position`. */
function firstTagFrom(tags: readonly Tag[], position: number): number {
  let low = 0;
  let high = tags.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tags[middle] as Tag).start < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function mergeRegions(left: readonly Region[], right: readonly Region[]): Region[] {
  return [...left, ...right].sort((a, b) => a.start - b.start);
}
