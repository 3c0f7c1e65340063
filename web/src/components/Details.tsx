import type { ReactNode } from 'react';
import classes from './Details.module.css';

/** Names and values, one under the other where there is little room. */
export function Details({ items }: { items: [string, ReactNode][] }) {
  return (
    <dl className={classes.list}>
      {items.map(([name, value]) => (
        <div key={name} className={classes.item}>
          <dt className={classes.name}>{name}</dt>
          <dd className={classes.value}>{value ?? '–'}</dd>
        </div>
      ))}
    </dl>
  );
}
