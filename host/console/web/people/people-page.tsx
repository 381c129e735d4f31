import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { fetchPeople } from '../client/admin-api.ts';
import { Fetched } from '../frame/fetched.tsx';
import { More } from '../frame/more.tsx';
import page from '../frame/page.module.css';
import { Page } from '../frame/page.tsx';
import { useMe } from '../sign-in/use-me.ts';
import { NewPerson } from './new-person.tsx';
import { PersonCard } from './person-card.tsx';

/** From the last key to the search. Higher: it lags. Lower: a search for each letter. */
const TYPING_MS = 300;

/** Owners, admins and members, with what they may do. */
export function PeoplePage() {
  const me = useMe();
  const [typed, setTyped] = useState('');
  const [text] = useDebouncedValue(typed.trim(), TYPING_MS);
  const [isAdding, setIsAdding] = useState(false);
  const people = useInfiniteQuery({
    queryKey: ['people', text],
    queryFn: ({ pageParam }) => fetchPeople(text, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  const all = useMemo(() => people.data?.pages.flatMap(({ items }) => items), [people.data]);
  return (
    <Page
      title="People"
      about="Who may do what. Owners may do everything, admins decide for an agent or for all, members talk to an agent."
      actions={
        me?.may.managePeople === true && (
          <Button size="sm" onClick={() => setIsAdding(true)}>
            Add a person
          </Button>
        )
      }
    >
      <TextInput
        label="Find"
        placeholder="a name or an id"
        maxLength={100}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <section aria-label="People">
        <Fetched query={{ ...people, data: all }} what="people">
          {(items) =>
            items.length === 0 ? (
              <p className={page.soft}>{text === '' ? 'Nobody yet.' : `Nobody fits “${text}”.`}</p>
            ) : (
              <ul className={page.list}>
                {items.map((person) => (
                  <li key={person.id}>
                    <PersonCard person={person} />
                  </li>
                ))}
              </ul>
            )
          }
        </Fetched>
        <More query={people} label="Show more people" />
      </section>
      {isAdding && <NewPerson onClose={() => setIsAdding(false)} />}
    </Page>
  );
}
