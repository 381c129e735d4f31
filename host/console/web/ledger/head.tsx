import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type ChainCheck, fetchLedgerHead, verifyLedger } from '../client/admin-api.ts';
import { CopyableId } from '../details/facts.tsx';
import page from '../frame/page.module.css';
import { useNotices } from '../style/notices.tsx';
import classes from './ledger.module.css';

/** The newest entry's hash, which stands for all before it; and a check of the whole chain. */
export function Head() {
  const notices = useNotices();
  const head = useQuery({ queryKey: ['ledger-head'], queryFn: fetchLedgerHead, staleTime: 0 }).data;
  const [isChecking, setIsChecking] = useState(false);
  const [check, setCheck] = useState<ChainCheck | null>(null);

  function verify() {
    setIsChecking(true);
    notices.attempt(async () => {
      try {
        setCheck(await verifyLedger());
      } finally {
        setIsChecking(false);
      }
    });
  }

  return (
    <div className={page.card}>
      <div className={classes.head}>
        <b>{head === undefined ? 'Head' : `Head: entry ${head.position.toLocaleString()}`}</b>
        {head !== undefined && <CopyableId id={head.hash} />}
        <Button size="compact-sm" variant="default" loading={isChecking} onClick={verify}>
          Check the chain
        </Button>
        <span role="status" className={check?.brokenAt == null ? page.soft : page.bad}>
          {check !== null && describeCheck(check)}
        </span>
      </div>
      <p className={page.soft}>Written down elsewhere, it proves later that nothing was cut off.</p>
    </div>
  );
}

function describeCheck({ entries, brokenAt }: ChainCheck): string {
  if (brokenAt !== null) return `The chain is broken at entry ${brokenAt}: it was changed after it was written.`;
  return `All ${entries.toLocaleString()} entries hold.`;
}
