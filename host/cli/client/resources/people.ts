/** Owners, admins and members. */
import type { Requests } from '../requests.ts';
import type { Page, Person } from '../types.ts';

export function peopleCalls(requests: Requests) {
  return {
    listPeople(query: { q?: string; agent?: string; who?: 'known' | 'all' }, limit: number): Promise<Page<Person>> {
      return requests.list('/people', query, limit);
    },

    readPerson(id: string): Promise<Person> {
      return requests.get(`/people/${encodeURIComponent(id)}`);
    },

    /** `of`: an agent's id, or `all`. Somebody new has no revision, but a name. */
    grantRole(id: string, role: string, of: string, based: { revision: number } | { name: string }): Promise<Person> {
      const path = `/people/${encodeURIComponent(id)}/roles/${role}/${of}`;
      if ('name' in based) return requests.put(path, null, { name: based.name });
      return requests.put(path, based.revision, {});
    },

    revokeRole(id: string, role: string, of: string, revision: number): Promise<Person> {
      return requests.delete(`/people/${encodeURIComponent(id)}/roles/${role}/${of}`, revision);
    },

    linkPeople(id: string, other: string, revision: number): Promise<Person> {
      return requests.put(`/people/${encodeURIComponent(id)}/links/${encodeURIComponent(other)}`, revision, {});
    },

    unlinkPeople(id: string, other: string, revision: number): Promise<Person> {
      return requests.delete(`/people/${encodeURIComponent(id)}/links/${encodeURIComponent(other)}`, revision);
    },
  };
}
