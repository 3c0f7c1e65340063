import { Text } from '@mantine/core';
import { Link } from 'wouter';
import { StateDot, stateColor } from '@/components/StatusBadge';
import classes from './Flow.module.css';
import type { FlowNode, Stage } from './flow';

/** The way of a request as a drawing: stages side by side, or under one another on narrow screens. */
export function Flow({ stages }: { stages: Stage[] }) {
  return (
    <div className={classes.frame}>
      <ol className={classes.flow} aria-label="The way of a request">
        {stages.map(({ name, nodes, ordered }) => {
          const List = ordered ? 'ol' : 'ul';
          return (
            <li key={name} className={classes.stage}>
              <Text className={classes.name}>{name}</Text>
              <List
                className={classes.nodes}
                data-ordered={ordered || undefined}
                data-many={(!ordered && nodes.length > 1) || undefined}
                aria-label={name}
              >
                {nodes.map((node) => (
                  <li key={node.key} className={classes.place}>
                    <Node node={node} />
                  </li>
                ))}
              </List>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function Node({ node }: { node: FlowNode }) {
  const { title, detail, state, problem, href, here } = node;
  const color = state ? stateColor(state) : 'gray';
  const content = (
    <>
      <span className={classes.title}>
        {state && <StateDot state={state} label={state} />}
        <span>{title}</span>
      </span>
      {detail && <span className={classes.detail}>{detail}</span>}
      {problem && <span className={classes.problem}>{problem}</span>}
    </>
  );
  const shared = { className: classes.node, 'data-color': color, 'data-here': here || undefined };
  return href ? (
    <Link href={href} {...shared}>
      {content}
    </Link>
  ) : (
    <div {...shared} aria-current={here ? 'page' : undefined}>
      {content}
    </div>
  );
}
