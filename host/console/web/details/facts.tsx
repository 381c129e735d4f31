import { ActionIcon, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Fragment } from 'react';
import { Icon } from '../style/icons.tsx';
import classes from './details.module.css';

/** Names and values, one under the other; pairs without a value are left out. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={classes.facts}>
      {facts
        .filter(([, value]) => value !== null && value !== '')
        .map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
    </dl>
  );
}

export function CopyableId({ id }: { id: string }) {
  const { copied, copy } = useClipboard({ timeout: 1500 });
  return (
    <span className={classes.id}>
      <code>{id}</code>
      <Tooltip label={copied ? 'Copied' : 'Copy'}>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label="Copy id" onClick={() => copy(id)}>
          <Icon name={copied ? 'check' : 'copy'} size={16} />
        </ActionIcon>
      </Tooltip>
    </span>
  );
}
