/** Attacks with files that a message names. */

import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeId } from '../../../shared/ids.ts';
import { type Attacker, attempt, files, type Task } from './attacker.ts';

type Attack = (attacker: Attacker, task: Task) => void | Promise<void>;

/** A row that sends `names` from the folder that `make` fills. */
function send(attacker: Attacker, text: string, names: string[], make: (folder: string) => void): void {
  const id = makeId('message');
  const folder = join(files.outFiles, id);
  mkdirSync(folder, { recursive: true });
  make(folder);
  const attachments = names.map((name) => ({ name, sizeBytes: 5, contentType: 'text/plain' }));
  attacker.insert({ id, content: JSON.stringify({ text, attachments }) });
}

export const FILE_ATTACKS: Record<string, Attack> = {
  'odd-names': (attacker, { args }) => {
    const precious = args.precious ?? '';
    const up = '../'.repeat(12);
    for (const name of [`${up}${precious.slice(1)}`, precious, '..', '.', 'a\0b', '../outbound.db', 'x/y', '\\..\\z']) {
      send(attacker, `odd ${JSON.stringify(name)}`, [name], () => undefined);
    }
    send(attacker, 'newline', ['two\nlines.txt'], (folder) => writeFileSync(join(folder, 'two\nlines.txt'), 'plain'));
    send(attacker, 'bidi', ['\u202egnp.exe'], (folder) => writeFileSync(join(folder, '\u202egnp.exe'), 'plain'));
    attacker.say('after the odd names');
  },

  links: (attacker, { args }) => {
    const precious = args.precious ?? '';
    send(attacker, 'symbolic', ['a.txt'], (folder) => symlinkSync(precious, join(folder, 'a.txt')));
    send(attacker, 'hard', ['b.txt'], (folder) => {
      writeFileSync(join(folder, 'b-1.txt'), 'hard!');
      linkSync(join(folder, 'b-1.txt'), join(folder, 'b.txt'));
    });
    send(attacker, 'process', ['environ'], (folder) => symlinkSync('/proc/self/environ', join(folder, 'environ')));
    send(attacker, 'fifo', ['c.txt'], (folder) => spawnSync('mkfifo', [join(folder, 'c.txt')]));
    send(attacker, 'folder', ['d.txt'], (folder) => mkdirSync(join(folder, 'd.txt')));
    const id = makeId('message');
    symlinkSync(args.folder ?? '', join(files.outFiles, id));
    const attachments = [{ name: args.name ?? '', sizeBytes: 5, contentType: 'text/plain' }];
    attacker.insert({ id, content: JSON.stringify({ text: 'folder link', attachments }) });
    attacker.say('after the links');
  },

  'swapping-links': async (attacker, { args }) => {
    const attachments = [{ name: 'f.txt', sizeBytes: 8, contentType: 'text/plain' }];
    const deadline = Date.now() + Number(args.forMs);
    for (let round = 0; Date.now() < deadline; round++) {
      const id = makeId('message');
      const folder = join(files.outFiles, id);
      mkdirSync(folder, { recursive: true });
      const target = join(folder, 'f.txt');
      swap(target, args.precious ?? '', 0);
      attacker.insert({ id, content: JSON.stringify({ text: `swap ${round}`, attachments }) });
      // While the host looks, opens and copies.
      for (let turn = 1; turn < 600; turn++) swap(target, args.precious ?? '', turn);
      await delay(1);
    }
    attacker.say('after the swaps');
  },

  heartbeat: async (attacker, { args }) => {
    rmSync(files.heartbeat, { force: true });
    if (args.kind === 'link') symlinkSync(args.precious ?? '', files.heartbeat);
    else spawnSync('mkfifo', [files.heartbeat]);
    const touched = attempt(() => utimesSync(files.heartbeat, 0, 0));
    attacker.say(`heartbeat is a ${args.kind} (${touched})`);
  },
};

/** By turns a plain file and a link, replaced in one step. */
function swap(path: string, precious: string, turn: number): void {
  const making = `${path}.making`;
  rmSync(making, { force: true });
  if (turn % 2 === 0) writeFileSync(making, 'harmless');
  else symlinkSync(precious, making);
  renameSync(making, path);
}
