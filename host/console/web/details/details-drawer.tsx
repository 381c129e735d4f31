import { Drawer } from '@mantine/core';
import type { Session } from '../client/types.ts';
import type { Details } from '../conversation/conversation.tsx';
import { MessageDetails } from './message-details.tsx';
import { SessionDetails } from './session-details.tsx';

interface DetailsDrawerProps {
  session: Session | null;
  details: Details | null;
  onClose: () => void;
  onMessage: (messageId: string) => void;
}

/** Slides in from the right: a session's facts, or a message's path. */
export function DetailsDrawer({ session, details, onClose, onMessage }: DetailsDrawerProps) {
  return (
    <Drawer
      opened={details !== null && session !== null}
      onClose={onClose}
      position="right"
      size="min(440px, 100vw)"
      title={details?.kind === 'message' ? 'Message' : 'Chat details'}
      closeButtonProps={{ 'aria-label': 'Close details', size: 44 }}
      overlayProps={{ backgroundOpacity: 0.25 }}
      styles={{ title: { fontWeight: 620 } }}
    >
      {session !== null && details?.kind === 'session' && <SessionDetails session={session} />}
      {session !== null && details?.kind === 'message' && (
        <MessageDetails sessionId={session.id} messageId={details.messageId} onMessage={onMessage} />
      )}
    </Drawer>
  );
}
