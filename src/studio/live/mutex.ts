/** Work one after the other: each begins when what was given before it has ended, well or not. */
export function mutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined); // told to whoever asked; the next one goes on
    return mine;
  };
}
