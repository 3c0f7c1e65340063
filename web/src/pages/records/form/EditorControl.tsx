import { ActionIcon, Group, Input, SegmentedControl, Textarea, Tooltip } from '@mantine/core';
import {
  IconBold,
  IconH2,
  IconItalic,
  IconLink,
  IconList,
  IconPilcrow,
  IconQuote,
} from '@tabler/icons-react';
import { useId, useRef, useState } from 'react';
import { CODE_INPUT } from '@/components/code-input';
import { HtmlPreview } from '@/components/HtmlPreview';
import type { TextControlProps } from './JsonControl';

const TAGS = [
  { label: 'Bold', icon: IconBold, open: '<strong>', close: '</strong>' },
  { label: 'Italic', icon: IconItalic, open: '<em>', close: '</em>' },
  { label: 'Heading', icon: IconH2, open: '<h2>', close: '</h2>' },
  { label: 'Paragraph', icon: IconPilcrow, open: '<p>', close: '</p>' },
  { label: 'List', icon: IconList, open: '<ul>\n  <li>', close: '</li>\n</ul>' },
  { label: 'Quote', icon: IconQuote, open: '<blockquote>', close: '</blockquote>' },
  { label: 'Link', icon: IconLink, open: '<a href="https://">', close: '</a>' },
];

/** Rich text as HTML, with a preview that runs and loads nothing. */
export function EditorControl({ value, onChange, label, ...common }: TextControlProps) {
  const id = useId();
  const [mode, setMode] = useState('edit');
  const input = useRef<HTMLTextAreaElement>(null);
  const wrap = (open: string, close: string) => {
    const node = input.current;
    if (!node) {
      return;
    }
    const { selectionStart, selectionEnd } = node;
    const selected = value.slice(selectionStart, selectionEnd);
    node.focus();
    onChange(value.slice(0, selectionStart) + open + selected + close + value.slice(selectionEnd));
  };
  return (
    <Input.Wrapper id={id} label={label} {...common}>
      <Group justify="space-between" gap={4} my={4}>
        <Group gap={2}>
          {TAGS.map(({ label: name, icon: Icon, open, close }) => (
            <Tooltip key={name} label={name}>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={name}
                disabled={mode === 'preview'}
                onClick={() => wrap(open, close)}
              >
                <Icon size={16} />
              </ActionIcon>
            </Tooltip>
          ))}
        </Group>
        <SegmentedControl
          size="xs"
          aria-label={`View of ${label}`}
          data={[
            { value: 'edit', label: 'HTML' },
            { value: 'preview', label: 'Preview' },
          ]}
          value={mode}
          onChange={setMode}
        />
      </Group>
      {mode === 'edit' ? (
        <Textarea
          id={id}
          ref={input}
          autosize
          minRows={5}
          maxRows={20}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
          {...CODE_INPUT}
        />
      ) : (
        <HtmlPreview title={`Preview of ${label}`} html={value} />
      )}
    </Input.Wrapper>
  );
}
