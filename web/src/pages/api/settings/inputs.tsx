/** Inputs that are bound to a path of the settings. */

import { NumberInput, PasswordInput, Switch, TagsInput, TextInput } from '@mantine/core';
import { createContext, type ReactNode, useContext } from 'react';
import { valueAt } from './draft';
import type { Settings } from './types';

interface SettingsForm {
  settings: Settings;
  errors: Readonly<Record<string, string>>;
  set: (path: string, value: unknown) => void;
}

export const SettingsContext = createContext<SettingsForm | null>(null);

/** The form around. */
export function useSettingsForm(): SettingsForm {
  const form = useContext(SettingsContext);
  if (!form) {
    throw new Error('settings are edited inside of their form');
  }
  return form;
}

interface InputProps {
  path: string;
  label: string;
  description?: ReactNode;
  placeholder?: string;
}

function useSetting(path: string) {
  const { settings, errors, set } = useSettingsForm();
  return {
    value: valueAt(settings, path),
    error: errors[path],
    change: (value: unknown) => set(path, value),
  };
}

export function TextSetting({ path, ...props }: InputProps) {
  const { value, error, change } = useSetting(path);
  return (
    <TextInput
      {...props}
      value={String(value ?? '')}
      error={error}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

/** A secret: never shown, and sent only when a new one was entered. */
export function SecretSetting({ path, ...props }: InputProps) {
  const { value, error, change } = useSetting(path);
  return (
    <PasswordInput
      {...props}
      placeholder={value === undefined ? 'unchanged' : ''}
      autoComplete="off"
      value={String(value ?? '')}
      error={error}
      onChange={(event) => change(event.currentTarget.value || undefined)}
    />
  );
}

export function NumberSetting({ path, ...props }: InputProps) {
  const { value, error, change } = useSetting(path);
  return (
    <NumberInput
      {...props}
      allowDecimal={false}
      value={typeof value === 'number' ? value : ''}
      error={error}
      onChange={(next) => change(Number(next) || 0)}
    />
  );
}

export function SwitchSetting({ path, label, description }: InputProps) {
  const { value, error, change } = useSetting(path);
  return (
    <Switch
      label={label}
      description={description}
      checked={value === true}
      error={error}
      onChange={(event) => change(event.currentTarget.checked)}
    />
  );
}

export function ListSetting({ path, ...props }: InputProps) {
  const { value, error, change } = useSetting(path);
  return (
    <TagsInput
      {...props}
      acceptValueOnBlur
      splitChars={[',', ' ']}
      value={Array.isArray(value) ? value.map(String) : []}
      error={error}
      onChange={change}
    />
  );
}
