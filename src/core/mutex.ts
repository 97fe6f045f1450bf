/** Runs work one after the other, in the order given; a failure does not stop the next. */
export function mutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined); // its caller sees the error
    return mine;
  };
}
