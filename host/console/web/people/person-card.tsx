import { Button } from '@mantine/core';
import { useState } from 'react';
import { type Grant, revokeRole } from '../client/admin-api.ts';
import type { Person, Role } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { ME, useMe } from '../sign-in/use-me.ts';
import { formatMoment } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import { GiveRole } from './give-role.tsx';
import classes from './people.module.css';
import { describeRole, isOwner, mayGive } from './role.ts';
import { SignInLinkDialog } from './sign-in-link.tsx';

type Asking = { kind: 'give' } | { kind: 'take'; role: Role } | { kind: 'link' };

/** Somebody: their identities, what they may do, and what this reader may change about it. */
export function PersonCard({ person }: { person: Person }) {
  const me = useMe();
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = () => setAsking(null);
  const name = person.name || person.id;
  const isMe = person.identities.some(({ userId }) => userId === me?.userId);
  const webId = person.identities.find(({ userId }) => userId.startsWith('web:'))?.userId;
  // A link for an owner is made on the machine alone.
  const canSignIn = webId !== undefined && isOwner(me) && !person.roles.some(({ role }) => role === 'owner');
  return (
    <article className={page.card} aria-label={name} data-person={person.id}>
      <h2 className={classes.name}>
        {name}
        {isMe && <span className={page.soft}> · you</span>}
      </h2>
      <p className={classes.identities}>
        {person.identities.map(({ userId }) => (
          <code key={userId} className={page.soft}>
            {userId}
          </code>
        ))}
      </p>
      <Roles roles={person.roles} onTake={(role) => setAsking({ kind: 'take', role })} isMe={isMe} />
      {!isMe && (
        <div className={classes.actions}>
          <Button
            size="xs"
            variant="default"
            aria-label={`Give ${name} a role`}
            onClick={() => setAsking({ kind: 'give' })}
          >
            Give a role
          </Button>
          {canSignIn && (
            <Button
              size="xs"
              variant="default"
              aria-label={`Sign-in link for ${name}`}
              onClick={() => setAsking({ kind: 'link' })}
            >
              Sign-in link
            </Button>
          )}
        </div>
      )}
      {asking?.kind === 'give' && <GiveRole person={person} onClose={close} />}
      {asking?.kind === 'take' && <TakeRole person={person} role={asking.role} onClose={close} />}
      {asking?.kind === 'link' && webId !== undefined && (
        <SignInLinkDialog userId={webId} name={name} onClose={close} />
      )}
    </article>
  );
}

interface RolesProps {
  roles: readonly Role[];
  isMe: boolean;
  onTake: (role: Role) => void;
}

function Roles({ roles, isMe, onTake }: RolesProps) {
  const me = useMe();
  const now = useNow();
  if (roles.length === 0) return <p className={page.soft}>No roles.</p>;
  return (
    <ul className={classes.roles}>
      {roles.map((role) => (
        <li key={`${role.role} ${role.agentId} ${role.userId}`}>
          <span>
            {describeRole(role)}
            <span className={page.soft}>
              {' '}
              · {formatMoment(role.grantedAt, now)}
              {role.grantedBy !== null && `, by ${role.grantedBy}`}
            </span>
          </span>
          {(isMe || mayGive(me, role)) && (
            <Button
              size="compact-xs"
              variant="subtle"
              color="red"
              c="var(--bad)"
              aria-label={`Take away: ${describeRole(role)}`}
              onClick={() => onTake(role)}
            >
              Take away
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}

function TakeRole({ person, role, onClose }: { person: Person; role: Role; onClose: () => void }) {
  const name = person.name || person.id;
  const grant: Grant = { role: role.role, agentId: role.agentId };
  return (
    <DialogForm
      title={`Take a role from ${name}?`}
      action="Take away"
      isRemoval
      work={() => revokeRole(person, grant)}
      touches={[['people'], ME]}
      onClose={onClose}
    >
      <p className={page.soft}>
        {name} is {describeRole(role)} no more, from this moment on. What they decided before stands.
      </p>
    </DialogForm>
  );
}
