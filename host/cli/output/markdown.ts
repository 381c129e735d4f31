/**
 * Markdown, lightly, for a terminal: headings, bold, italics, code, links, lists and quotes. What it does
 * not know stays as it was written; nothing is hidden, a link shows where it leads.
 */
import type { Style } from './style.ts';
import { plainText } from './text.ts';

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)\s*$/;

/** Formats the text of a message, made safe first. */
export function renderMarkdown(text: string, style: Style): string {
  let fence: string | null = null;
  const lines: string[] = [];
  for (const line of plainText(text).trimEnd().split('\n')) {
    const match = FENCE.exec(line);
    const mark = match?.[1];
    if (fence !== null) {
      const closes = mark !== undefined && match?.[2] === '' && mark[0] === fence[0] && mark.length >= fence.length;
      if (closes) fence = null;
      lines.push(closes ? style.dim(line) : style.cyan(line));
      continue;
    }
    if (mark !== undefined) {
      fence = mark;
      lines.push(style.dim(line));
      continue;
    }
    lines.push(renderLine(line, style));
  }
  return lines.join('\n');
}

function renderLine(line: string, style: Style): string {
  const heading = /^ {0,3}#{1,6}\s+(.+?)\s*#*$/.exec(line);
  if (heading !== null) return style.bold(heading[1] ?? '');
  if (/^ {0,3}([-*_])( *\1){2,} *$/.test(line)) return style.dim('─'.repeat(24));
  const quote = /^ {0,3}> ?(.*)$/.exec(line);
  if (quote !== null) return `${style.dim('│')} ${renderInline(quote[1] ?? '', style)}`;
  const bullet = /^(\s*)[-*+]\s+(?:\[([ xX])\]\s+)?(.*)$/.exec(line);
  if (bullet !== null) {
    const [, indent = '', box, rest = ''] = bullet;
    const mark = box === undefined ? '•' : box === ' ' ? '☐' : '☑';
    return `${indent}${mark} ${renderInline(rest, style)}`;
  }
  return renderInline(line, style);
}

/** Code first: nothing inside back-ticks is markup. */
function renderInline(text: string, style: Style): string {
  return text
    .split(/(`+[^`]+`+)/)
    .map((part) => {
      const code = /^(`+)([^`]+)\1$/.exec(part);
      return code === null ? renderEmphasis(part, style) : style.cyan(code[2] ?? '');
    })
    .join('');
}

function renderEmphasis(text: string, style: Style): string {
  return text
    .replace(/\[([^\]\n]{1,500})\]\(([^)\s]{1,2000})\)/g, (_, label: string, target: string) =>
      label === target ? style.underline(target) : `${style.underline(label)} ${style.dim(`(${target})`)}`,
    )
    .replace(/(\*\*|__)(?=\S)([^\n]{0,2000}?\S)\1/g, (_, __: string, inner: string) => style.bold(inner))
    .replace(/~~(?=\S)([^\n]{0,2000}?\S)~~/g, (_, inner: string) => style.strike(inner))
    .replace(/(?<![\w*])\*(?=[^\s*])([^*\n]{1,2000})(?<=\S)\*(?![\w*])/g, (_, inner: string) => style.italic(inner))
    .replace(/(?<![\w_])_(?=[^\s_])([^_\n]{1,2000})(?<=\S)_(?![\w_])/g, (_, inner: string) => style.italic(inner));
}
