import { removeSecret, unassignSecret } from '../client/secret-api.ts';
import type { Secret } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { describeLoss, describeUse } from './secret.ts';
import { SECRETS, SERVICES, useServices } from './use-secrets.ts';

const TOUCHES = [SECRETS, SERVICES, ['agents']];

/** Names of those that lie on this machine or network. */
function useOwnServices(): ReadonlySet<string> {
  const services = useServices().data?.items ?? [];
  return new Set(services.filter(({ isPrivate }) => isPrivate).map(({ name }) => name));
}

export function RemoveSecret({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const own = useOwnServices();
  return (
    <DialogForm
      title={`Remove ${secret.name}?`}
      action="Remove"
      isRemoval
      work={() => removeSecret(secret)}
      touches={TOUCHES}
      onClose={onClose}
    >
      <p className={page.soft}>
        {describeLoss(secret, own)} Its value is gone for good; where it was made it stays valid until it is withdrawn
        there.
      </p>
    </DialogForm>
  );
}

export function UnassignSecret({ use, onClose }: { use: Secret['uses'][number]; onClose: () => void }) {
  const own = useOwnServices();
  return (
    <DialogForm
      title="Take it away?"
      action="Take away"
      isRemoval
      work={() => unassignSecret(use.service, use.agent?.id ?? null)}
      touches={TOUCHES}
      onClose={onClose}
    >
      <p className={page.soft}>
        {describeUse(use)}. {describeLoss({ uses: [use] }, own)} The secret itself stays.
      </p>
    </DialogForm>
  );
}
