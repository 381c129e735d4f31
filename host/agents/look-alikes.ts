/**
 * Letters that look like others. Pure.
 * Source: the letters of Unicode's confusables table (UTS #39) that look like a–z and 0–9, and its rule that
 * scripts which share shapes are not mixed.
 */

/** Scripts with letters that look Latin. Not global: `test` keeps no place in it. */
export const CONFUSABLE_SCRIPTS =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}\p{Script=Deseret}\p{Script=Georgian}\p{Script=Tifinagh}\p{Script=Old_Italic}\p{Script=Gothic}\p{Script=Runic}\p{Script=Canadian_Aboriginal}\p{Script=Vai}]/u;

/** Each pair: the letter, and what looks like it, in other scripts and among rarer letters of its own. */
const LOOK_ALIKES: readonly (readonly [letter: string, others: string])[] = [
  ['a', 'аαɑꭺᎪᴀ'],
  ['b', 'вьбβꮟᏏᏴʙƅ'],
  ['c', 'сϲᏟꮯᴄ'],
  ['d', 'ԁᎠꭰᴅ'],
  ['e', 'еєεᎬꭼᴇ'],
  ['f', 'ғϝꜰ'],
  ['g', 'ɡցᏀꮐɢ'],
  ['h', 'һнհηᎻꮋʜ'],
  ['i', 'іιıɩɪ'],
  ['j', 'јյᎫꭻᴊȷ'],
  ['k', 'кκᏦꮶᴋ'],
  ['l', 'ӏ1|լᏞꮮʟǀ١۱'],
  ['m', 'мᎷꮇᴍ'],
  ['n', 'пոνɴ'],
  ['o', 'оοσօ0ᴏᴑ٥۵०੦૦௦౦೦൦๐໐၀'],
  ['p', 'рρᏢꮲᴘ'],
  ['q', 'ԛզꞯ'],
  ['r', 'гᎡꭱᏒꮢʀ'],
  ['s', 'ѕᏕꮥᏚꮪꜱƽ'],
  ['t', 'тτᎢꭲᴛ'],
  ['u', 'иυսμᴜʋ'],
  ['v', 'ѵᏙꮩᴠ'],
  ['w', 'ԝωшᎳꮃᏔꮤᴡ'],
  ['x', 'хχ'],
  ['y', 'уγүᎩꭹʏɣỿ'],
  ['z', 'зζᏃꮓᴢ'],
];

const LETTER_OF = new Map(LOOK_ALIKES.flatMap(([letter, others]) => [...others].map((other) => [other, letter])));

/** One shape for all texts that people could take for each other: without case, accents and the choice of script. */
export function foldLookAlikes(text: string): string {
  // Up and down: some letters have one upper case and several lower ones.
  const oneCase = text.normalize('NFKC').toUpperCase().toLowerCase();
  const bare = oneCase.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return [...bare].map((letter) => LETTER_OF.get(letter) ?? letter).join('');
}

/** Latin letters that are more than a letter with a mark. */
const SPELLINGS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
  ŋ: 'ng',
};

/** In lower case, with Latin letters in a–z; letters of other scripts stay as they are. */
export function spellInAscii(text: string): string {
  const bare = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return [...bare].map((letter) => SPELLINGS[letter] ?? letter).join('');
}
