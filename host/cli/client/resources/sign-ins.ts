/** Browsers that people are signed in with, and links that sign one in. */
import type { Requests } from '../requests.ts';
import type { SignIn, SignInLink } from '../types.ts';

export function signInCalls(requests: Requests) {
  return {
    makeSignInLink(): Promise<SignInLink> {
      return requests.post('/sign-in-links', {});
    },

    /** `name`: what they are called when they are new here. */
    makeSignInLinkFor(userId: string, name: string | undefined): Promise<SignInLink> {
      const path = `/people/${encodeURIComponent(userId)}/sign-in-links`;
      return requests.post(path, name === undefined ? {} : { name });
    },

    listSignIns(userId: string): Promise<{ items: SignIn[] }> {
      return requests.get(`/people/${encodeURIComponent(userId)}/sign-ins`);
    },

    endSignIns(userId: string): Promise<{ ended: number }> {
      return requests.delete(`/people/${encodeURIComponent(userId)}/sign-ins`);
    },
  };
}
