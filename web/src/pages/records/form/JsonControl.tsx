import { Button, Textarea } from '@mantine/core';
import { CODE_INPUT } from '@/components/code-input';

export interface TextControlProps {
  label: string;
  description?: string | undefined;
  withAsterisk: boolean;
  error?: string | undefined;
  value: string;
  onChange: (value: string) => void;
}

/** JSON as text, checked while it is typed. */
export function JsonControl({ value, onChange, error, description, ...common }: TextControlProps) {
  const formatted = format(value);
  return (
    <div>
      <Textarea
        {...common}
        description={description}
        autosize
        minRows={3}
        maxRows={18}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={formatted === null ? 'This is not JSON.' : error}
        {...CODE_INPUT}
      />
      {formatted !== null && formatted !== value && (
        <Button size="compact-xs" variant="subtle" mt={4} onClick={() => onChange(formatted)}>
          Format
        </Button>
      )}
    </div>
  );
}

/** The same JSON with indentation; null where it is none. */
function format(text: string): string | null {
  if (text.trim() === '') {
    return text;
  }
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}
