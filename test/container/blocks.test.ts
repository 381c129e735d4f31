import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, formatBlock, parseReply } from '../../container/runner/blocks/index.ts';

/** [what it is, the text, the blocks as `to[#replyTo]: text`, the scratch] */
const TABLE: [string, string, string[], string][] = [
  ['nothing', '', [], ''],
  ['plain text', 'hello', [], 'hello'],
  ['one block', '<message to="a">hi</message>', ['a: hi'], ''],
  ['two blocks', '<message to="a">1</message><message to="b">2</message>', ['a: 1', 'b: 2'], ''],
  ['text around blocks', 'x <message to="a">1</message> y', ['a: 1'], 'x  y'],
  ['line breaks around the text', '<message to="a">\n\nhi\n</message>', ['a: hi'], ''],
  ['line breaks inside the text', '<message to="a">one\n\ntwo</message>', ['a: one\n\ntwo'], ''],
  ['CRLF', '<message to="a">\r\none\r\ntwo\r\n</message>\r\n', ['a: one\r\ntwo'], ''],
  ['an empty block', '<message to="a"></message>', ['a: '], ''],
  ['a blank block', '<message to="a"> \n </message>', ['a: '], ''],
  ['a self-closing block', '<message to="a"/>x', ['a: '], 'x'],
  ['a self-closing block without quotes', '<message to=a/>x', ['a: '], 'x'],
  ['single quotes', "<message to='a'>hi</message>", ['a: hi'], ''],
  ['no quotes', '<message to=a>hi</message>', ['a: hi'], ''],
  ['spaces around =', '<message to = "a" >hi</message>', ['a: hi'], ''],
  ['a tag over several lines', '<message\n  to="a"\n  reply_to="4"\n>hi</message>', ['a#4: hi'], ''],
  ['attributes in the other order', '<message reply_to="4" to="a">hi</message>', ['a#4: hi'], ''],
  ['reply-to with a dash', '<message to="a" reply-to=4>hi</message>', ['a#4: hi'], ''],
  ['replyTo in camel case', '<message to="a" replyTo="4">hi</message>', ['a#4: hi'], ''],
  ['unknown attributes', '<message class="x" to="a" bold>hi</message>', ['a: hi'], ''],
  ['an attribute given twice', '<message to="a" to="b">hi</message>', ['a: hi'], ''],
  ['> inside a quoted attribute', '<message to="a>b">hi</message>', ['a>b: hi'], ''],
  ['< inside a quoted attribute', '<message to="a<b">hi</message>', ['a<b: hi'], ''],
  ['entities in an attribute', '<message to="a&amp;b&quot;">hi</message>', ['a&b": hi'], ''],
  ['upper case', '<MESSAGE TO="a">hi</Message>', ['a: hi'], ''],
  ['spaces in the name', '<message to=" a ">hi</message>', ['a: hi'], ''],
  ['no name', '<message>hi</message>', [': hi'], ''],
  ['an empty name', '<message to="">hi</message>', [': hi'], ''],
  ['spaces in the closing tag', '<message to="a">hi</message >', ['a: hi'], ''],
  ['a closing tag over two lines', '<message to="a">hi</message\n>x', ['a: hi'], 'x'],
  ['an unclosed block', '<message to="a">hi', ['a: hi'], ''],
  ['an unclosed block before another', '<message to="a">hi\n<message to="b">yo</message>', ['a: hi', 'b: yo'], ''],
  ['scratch behind an unclosed block', '<message to="a">1<message to="b">2</message>x', ['a: 1', 'b: 2'], 'x'],
  ['three unclosed blocks', '<message to="a">1<message to="b">2<message to="c">3', ['a: 1', 'b: 2', 'c: 3'], ''],
  ['a nested block', '<message to="a">1 <message to="b">2</message> 3</message>', ['a: 1  3', 'b: 2'], ''],
  ['a stray closing tag', 'x</message><message to="a">1</message>', ['a: 1'], 'x'],
  ['two closing tags', '<message to="a">1</message></message>', ['a: 1'], ''],
  ['another word that starts alike', '<messages to="a">1</messages>', [], '<messages to="a">1</messages>'],
  ['a tag that never ends', '<message to="a', [], '<message to="a'],
  ['an attribute that never ends', '<message to="a>hi</message>', [], '<message to="a>hi'],
  ['a space before the name', '< message to="a">hi', [], '< message to="a">hi'],
  ['less-than signs', '<message to="a">1 < 2 << 3 <- 4</message>', ['a: 1 < 2 << 3 <- 4'], ''],
  ['HTML in the text', '<message to="a"><b>hi</b> <br/></message>', ['a: <b>hi</b> <br/>'], ''],
  [
    'entities in the text',
    '<message to="a">&lt;b&gt; &amp;amp; &#65;&#x42; &apos;</message>',
    ["a: <b> &amp; AB '"],
    '',
  ],
  [
    'unknown entities',
    '<message to="a">&nbsp; &foo; &#0; &#xD800; & &;</message>',
    ['a: &nbsp; &foo; &#0; &#xD800; & &;'],
    '',
  ],
  ['an escaped closing tag', '<message to="a">&lt;/message&gt;</message>', ['a: </message>'], ''],
  ['a name that nobody has', '<message to="no-such-place">hi</message>', ['no-such-place: hi'], ''],
  ['two names in one tag', '<message to="a, b">hi</message>', ['a, b: hi'], ''],
  ['the same name twice', '<message to="a">1</message>\n<message to="a">2</message>', ['a: 1', 'a: 2'], ''],
  ['an emoji in a name', '<message to="👪">hi</message>', ['👪: hi'], ''],
  ['CRLF inside a tag', '<message\r\n  to="a"\r\n>hi</message\r\n>', ['a: hi'], ''],
  ['mixed quotes', `<message to="a'b" reply_to='4'>hi</message>`, ["a'b#4: hi"], ''],
  ['a nameless attribute', '<message ="x" to="a">hi</message>', ['a: hi'], ''],
  ['a word glued to a quoted value', '<message to="a"reply_to="4">hi</message>', ['a#4: hi'], ''],
  ['numeric entities in a name', '<message to="&#97;&#x62;">hi</message>', ['ab: hi'], ''],
  ['an entity decoded once', '<message to="a">&amp;lt;/message&amp;gt;</message>', ['a: &lt;/message&gt;'], ''],
  [
    'three levels',
    '<message to="a">1<message to="b">2<message to="c">3</message></message></message>',
    ['a: 1', 'b: 2', 'c: 3'],
    '',
  ],
  ['a comment around a block', '<!-- <message to="a">1</message> -->', ['a: 1'], '<!--  -->'],
  ['CDATA', '<message to="a"><![CDATA[1]]></message>', ['a: <![CDATA[1]]>'], ''],
  [
    'a block inside internal inside a block',
    '<message to="a">1<internal><message to="b">2</message></internal></message>',
    ['a: 1'],
    '',
  ],
  ['a self-closing internal', '<internal/><message to="a">1</message>', ['a: 1'], ''],
  ['internal in upper case', '<INTERNAL><message to="a">1</message></Internal>', [], ''],
  ['internal with attributes', '<internal why="x"><message to="a">1</message></internal>', [], ''],
  ['a zero-width character in the tag', '<mess\u200bage to="a">1</message>', [], '<mess\u200bage to="a">1'],
  ['look-alike brackets', '＜message to="a"＞1＜/message＞', [], '＜message to="a"＞1＜/message＞'],
  ['emoji', '<message to="a">👩‍👩‍👧 ok 🇪🇺</message>', ['a: 👩‍👩‍👧 ok 🇪🇺'], ''],
  ['half a surrogate pair', '<message to="a">x\ud83dy</message>', ['a: x\ud83dy'], ''],
  ['NUL', '<message to="a">x\0y</message>', ['a: x\0y'], ''],
  ['internal text', '<internal>x</internal><message to="a">1</message>', ['a: 1'], ''],
  ['a block inside internal', '<internal><message to="a">1</message></internal>', [], ''],
  ['nested internals', '<internal>1<internal>2</internal><message to="a">3</message></internal>x', [], 'x'],
  ['internal inside a block', '<message to="a">1<internal>x</internal>2</message>', ['a: 12'], ''],
  ['unclosed internal', 'x<internal>y <message to="a">1</message>', [], 'x'],
  [
    'unclosed internal in a block',
    '<message to="a">1<internal>x</message><message to="b">2</message>',
    ['a: 1', 'b: 2'],
    '',
  ],
  ['a stray closing internal', 'x</internal><message to="a">1</internal>2</message>', ['a: 12'], 'x'],
  ['internal across a block', '<message to="a">1<internal></message>x</internal>2</message>', ['a: 12'], ''],
  [
    'a fence that shows the syntax',
    '```\n<message to="a">1</message>\n```',
    [],
    '```\n<message to="a">1</message>\n```',
  ],
  ['a fence of tildes', '~~~xml\n<message to="a">1</message>\n~~~', [], '~~~xml\n<message to="a">1</message>\n~~~'],
  [
    'a longer fence',
    '````\n```\n<message to="a">1</message>\n````',
    [],
    '````\n```\n<message to="a">1</message>\n````',
  ],
  ['an indented fence', '  ```\n<message to="a">1</message>\n  ```', [], '```\n<message to="a">1</message>\n  ```'],
  ['inline code that shows the syntax', 'use `<message to="a">` here', [], 'use `<message to="a">` here'],
  ['inline code with two backticks', '``<message to="a">` ``', [], '``<message to="a">` ``'],
  [
    'a closing tag in a fence (wrong place: a literal tag cuts the text)',
    '<message to="a">```\n</message>\n```\nx</message>',
    ['a: ```\n</message>\n```\nx'],
    '',
  ],
  [
    'a closing tag in a fence of its own line',
    '<message to="a">x\n```xml\n</message>\n```\n</message>y',
    ['a: x\n```xml\n</message>\n```'],
    'y',
  ],
  [
    'a closing tag in inline code',
    '<message to="a">end with `</message>` ok</message>',
    ['a: end with `</message>` ok'],
    '',
  ],
  [
    'a whole block in inline code',
    '<message to="a">`<message to="b">x</message>`</message>',
    ['a: `<message to="b">x</message>`'],
    '',
  ],
  [
    'entities in code stay',
    '<message to="a">`&lt;` &lt;\n```\n&amp;\n```</message>',
    ['a: `&lt;` <\n```\n&amp;\n```'],
    '',
  ],
  ['a fence closed by the block', '<message to="a">```\ncode\n```</message>x', ['a: ```\ncode\n```'], 'x'],
  ['an unclosed fence', '<message to="a">```js\ncode</message>x', ['a: ```js\ncode'], 'x'],
  [
    'an unclosed fence before another block',
    '<message to="a">```\n1\n</message>\n<message to="b">\n```\n2\n```\n</message>',
    ['a: ```\n1', 'b: ```\n2\n```'],
    '',
  ],
  ['a stray backtick', '<message to="a">the ` key</message> and ` too', ['a: the ` key'], 'and ` too'],
  ['a backtick in another paragraph', 'a ` b\n\n<message to="a">1</message>\n\n` c', ['a: 1'], 'a ` b\n\n\n\n` c'],
  ['an escaped backtick', 'a \\` <message to="a">1</message> ` b', ['a: 1'], 'a \\`  ` b'],
  ['internal in a fence', '```\n<internal>\n```\n<message to="a">1</message>', ['a: 1'], '```\n<internal>\n```'],
  [
    'a quoted incoming message',
    'I saw <message id="4" from="b">secret</message>. <message to="a">ok</message>',
    ['a: ok'],
    'I saw <message id="4" from="b">secret</message>.',
  ],
  [
    'a quoted message in a block',
    '<message to="a">see <message id="4" from="b">x</message> ok</message>',
    ['a: see <message id="4" from="b">x</message> ok'],
    '',
  ],
  [
    'an unclosed quoted message',
    '<message id="4" from="b">x <message to="a">1</message>',
    ['a: 1'],
    '<message id="4" from="b">x',
  ],
];

describe('the block parser', () => {
  it('has a table of at least sixty outputs', () => {
    expect(TABLE.length).toBeGreaterThanOrEqual(60);
  });

  it.each(TABLE)('reads %s', (_name, text, blocks, scratch) => {
    const parsed = parseReply(text);
    expect(parsed.blocks.map(show)).toEqual(blocks);
    expect(parsed.scratch).toBe(scratch);
  });

  it('says whether anything was internal', () => {
    expect(parseReply('<internal>x</internal>').hasInternal).toBe(true);
    expect(parseReply('x').hasInternal).toBe(false);
  });

  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.array(fc.constantFrom(...PIECES())).map((pieces) => pieces.join('')),
  );
  const name = fc.oneof(fc.stringMatching(/^[a-z0-9-]{1,20}$/), fc.string({ unit: 'binary', maxLength: 30 }));

  it('reads back exactly what was formatted, whatever it holds', () => {
    const block = fc.record<Block>({
      to: name.map((text) => text.trim()),
      replyTo: fc.option(fc.stringMatching(/^\d{1,6}$/)),
      text: anyText,
    });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 6 }), fc.constantFrom('', '\n', 'and then\n\n'), (blocks, between) => {
        expect(parseReply(blocks.map(formatBlock).join(between)).blocks).toEqual(blocks);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, and never makes a block out of nothing', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { blocks } = parseReply(text);
        if (!/<message/i.test(text)) expect(blocks).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never delivers what stands inside internal tags (wrong place: a block inside them is delivered)', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const safe = text.replace(/<\/?internal/gi, '').replace(/[`~]/g, '');
        const { blocks } = parseReply(`<internal>${safe}</internal>`);
        expect(blocks).toEqual([]);
      }),
    );
  });

  it('reads a megabyte of text in a block to the last character', () => {
    const text = 'wörd & <b> 👪 `x` \n'.repeat(50_000).trim();
    const [block] = parseReply(`<message to="a">${text}</message>`).blocks;
    expect(block?.text.length).toBe(text.length);
    expect(block?.text === text).toBe(true);
  });

  it.each(PIECES())('takes linear time for a megabyte of %j', (piece) => {
    // Eight times the text may take eight times the work; quadratic work takes 64 times, at every try.
    let ratio = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 5 && ratio >= 24; attempt++) {
      ratio = cpuMs(piece, 1_000_000) / Math.max(cpuMs(piece, 125_000), FLOOR_MS);
    }
    expect(ratio).toBeLessThan(24);
  });
});

/** Below this, the collector and the compiler are most of what is measured. */
const FLOOR_MS = 8;

/** Processor time of this process for one text of these characters, ms: what other programs do does not count. */
function cpuMs(piece: string, chars: number): number {
  const text = piece.repeat(Math.ceil(chars / piece.length));
  const runs = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    parseReply(text);
    parseReply(`${text}\n\`\`\`\`\n<message to="a"></message>`);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...runs);
}

function show({ to, replyTo, text }: Block): string {
  return `${to}${replyTo === null ? '' : `#${replyTo}`}: ${text}`;
}

function PIECES(): string[] {
  return [
    '<message to="a">',
    '</message>',
    '<internal>',
    '</internal>',
    '<message id="1">',
    '<message to="',
    '<',
    '`',
    '``',
    '```\n',
    '```a\n',
    '~~~\n',
    '\n\n',
    '\r\n',
    '&lt;',
    '&#',
    ' x ',
    '```a\n</message><message to="a">\n',
    '<message to="a">`</message>`',
  ];
}
