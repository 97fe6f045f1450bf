import { useEffect, useState } from 'preact/hooks';

/** The shown part of the studio and its settings, kept in the address so that a reload shows the same. */
interface PageAddress {
  readonly part: string;
  readonly settings: Readonly<Record<string, string>>;
}

function read(): PageAddress {
  const [part = '', query = ''] = location.hash.slice(1).split('?');
  return { part, settings: Object.fromEntries(new URLSearchParams(query)) };
}

/** The hash of a place; empty settings are left out. */
export function hashOf({ part, settings }: PageAddress): string {
  const given = Object.entries(settings).filter(([, value]) => value !== '');
  const query = new URLSearchParams(given).toString();
  return query === '' ? `#${part}` : `#${part}?${query}`;
}

/** The current place, and how to go to another one. */
export function usePlace(): [PageAddress, (place: PageAddress) => void] {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const changed = (): void => setPlace(read());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return [place, (next) => (location.hash = hashOf(next))];
}
