import { expect, test } from 'vitest';
import { toDiskFault } from '../../../host/config/errors.ts';

const meet = (code: string) => toDiskFault(Object.assign(new Error('met'), { code }));

test.each([
  ['disk_full', ['SQLITE_FULL', 'ENOSPC', 'EDQUOT']],
  ['disk_failed', ['SQLITE_IOERR', 'SQLITE_IOERR_FSYNC', 'SQLITE_CORRUPT_INDEX', 'SQLITE_NOTADB', 'EIO', 'EROFS']],
  ['disk_failed', ['SQLITE_READONLY_DBMOVED', 'SQLITE_CANTOPEN']],
  ['database_busy', ['SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT']],
])('what is the disk’s trouble is %s, worth another try, and says what to do', (code, met) => {
  for (const each of met) expect(meet(each), each).toMatchObject({ code, retryable: true, hint: expect.any(String) });
});

test('what is wrong with a statement or a program is a bug', () => {
  for (const code of ['SQLITE_CONSTRAINT_CHECK', 'SQLITE_ERROR', 'SQLITE_MISMATCH', 'ENOENT', 'EACCES', '']) {
    expect(meet(code), code).toBeNull();
  }
  expect(toDiskFault(null)).toBeNull();
});
