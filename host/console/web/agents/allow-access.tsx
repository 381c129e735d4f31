import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { type AccessMethod, type AccessWish, allowAccess } from '../client/egress-api.ts';
import classes from '../frame/dialog.module.css';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { isOwner } from '../people/role.ts';
import { useServices } from '../secrets/use-secrets.ts';
import { useMe } from '../sign-in/use-me.ts';

/** What was asked for, to begin with. */
export interface AskedPlace {
  host: string;
  port: number;
  method: string;
}

interface AllowAccessProps {
  agent: { id: string; name: string };
  asked?: AskedPlace;
  onClose: () => void;
}

/** Those that the API takes, all of them: the list of `shared/access.ts` would bring its whole parser along. */
const KNOWN: Readonly<Record<AccessMethod, true>> = {
  ...{ GET: true, HEAD: true, POST: true, PUT: true, PATCH: true, DELETE: true, OPTIONS: true },
};
const METHODS = Object.keys(KNOWN).filter((text): text is AccessMethod => text in KNOWN);

const HTTPS_PORT = 443;
/** An address, or a name without a dot: the host takes it as a place on this machine or network alone. */
const INSIDE = /^[^.*]+$|^\d+(?:\.\d+){3}$|:/;

/** A way out: to a host and what of it, or to a service. */
export function AllowAccess({ agent, asked, onClose }: AllowAccessProps) {
  const me = useMe();
  const others = (useServices().data?.items ?? []).filter(({ api }) => api === null);
  const [service, setService] = useState('');
  const [host, setHost] = useState(asked?.host ?? '');
  const [port, setPort] = useState(String(asked?.port ?? HTTPS_PORT));
  const [methods, setMethods] = useState<string[]>([]);
  const [path, setPath] = useState('');
  const [isPrivate, setIsPrivate] = useState(false);
  const [reason, setReason] = useState('');
  const isHost = service === '';
  const portNumber = /^\d{1,5}$/.test(port) ? Number(port) : null;
  const wish: AccessWish = {
    ...(isHost ? { host: host.trim(), ...(portNumber === null ? {} : { port: portNumber }) } : { service }),
    ...(methods.length > 0 ? { methods: METHODS.filter((method) => methods.includes(method)) } : {}),
    ...(path.trim() === '' ? {} : { path: path.trim() }),
    ...(isPrivate ? { private: true } : {}),
    ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
  };
  const isInside = isHost && INSIDE.test(host.trim());
  const isOpen = !isInside || (isOwner(me) && isPrivate);
  const isLimited = methods.length > 0 || path.trim() !== '';
  return (
    <DialogForm
      title={`Let ${agent.name} out`}
      action="Allow"
      isReady={!isHost || (host.trim() !== '' && portNumber !== null && isOpen)}
      work={() => allowAccess(agent.id, wish)}
      touches={[['agents', agent.id, 'access']]}
      onClose={onClose}
    >
      <NativeSelect
        label="To"
        data={[
          { value: '', label: 'a host' },
          ...others.map(({ name }) => ({ value: name, label: `the service ${name}` })),
        ]}
        value={service}
        onChange={(event) => setService(event.currentTarget.value)}
      />
      {isHost && (
        <div className={classes.place}>
          <TextInput
            label="Host"
            placeholder="api.example.com"
            description="Or *.example.com, for the names below it."
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            required
            data-autofocus
            maxLength={260}
            spellCheck={false}
            autoCapitalize="off"
            value={host}
            error={isInside && !isOwner(me) ? 'Owners alone let agents to an address or a short name.' : null}
            onChange={(event) => setHost(event.currentTarget.value)}
          />
          <TextInput
            label="Port"
            inputMode="numeric"
            required
            value={port}
            onChange={(event) => setPort(event.currentTarget.value)}
          />
        </div>
      )}
      <Checkbox.Group
        label="Methods"
        description={methods.length === 0 ? 'All, while none is chosen.' : 'These alone.'}
        value={methods}
        onChange={setMethods}
      >
        <div className={classes.choices}>
          {METHODS.map((method) => (
            <Checkbox key={method} value={method} label={method} size="xs" />
          ))}
        </div>
      </Checkbox.Group>
      <TextInput
        label="Paths that begin with"
        placeholder="all"
        maxLength={256}
        spellCheck={false}
        value={path}
        onChange={(event) => setPath(event.currentTarget.value)}
      />
      {isLimited && isHost && (
        <p className={page.soft}>
          Programs reach a limited place through the gateway’s own address,{' '}
          <code className={page.code}>/https/{host.trim() || 'host'}/…</code>: nobody sees methods and paths inside a
          tunnel.
        </p>
      )}
      {isOwner(me) && (
        <Checkbox
          label="It lies on this machine or network"
          description={
            isInside
              ? 'Needed for an address or a short name.'
              : 'Else such addresses are refused, whatever name leads there.'
          }
          checked={isPrivate}
          onChange={(event) => setIsPrivate(event.currentTarget.checked)}
        />
      )}
      <TextInput
        label="Why"
        placeholder="optional"
        maxLength={1_000}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </DialogForm>
  );
}
