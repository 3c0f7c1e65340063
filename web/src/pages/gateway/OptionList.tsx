import { Code, Text } from '@mantine/core';
import { Details } from '@/components/Details';
import type { Option } from './options';

/** Options by name; those with several values one under the other. */
export function OptionList({ options }: { options: Option[] }) {
  if (options.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        None are set.
      </Text>
    );
  }
  return (
    <Details
      items={options.map(({ name, values }) => [
        name,
        values.length === 0 ? 'empty' : <Values key={name} values={values} />,
      ])}
    />
  );
}

function Values({ values }: { values: string[] }) {
  return values.map((value, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the same value may stand there twice
    <div key={index}>
      <Code>{value}</Code>
    </div>
  ));
}
