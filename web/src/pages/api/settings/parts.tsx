/** The parts of the settings that are plain inputs. */

import { Button, Collapse, Group, Select, SimpleGrid, Stack, Text } from '@mantine/core';
import { post } from '@/api/client';
import { useAction } from '@/components/actions';
import { describeCron } from '../cron';
import {
  ListSetting,
  NumberSetting,
  SecretSetting,
  SwitchSetting,
  TextSetting,
  useSettingsForm,
} from './inputs';

export function Application() {
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextSetting path="meta.appName" label="Name" description="{APP_NAME} in e-mails" />
        <TextSetting
          path="meta.appURL"
          label="Address"
          description="{APP_URL} in e-mails, where their links lead"
        />
      </SimpleGrid>
    </Stack>
  );
}

export function Batch() {
  return (
    <Stack>
      <SwitchSetting path="batch.enabled" label="Several changes in one request are accepted" />
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <NumberSetting path="batch.maxRequests" label="Requests at most" />
        <NumberSetting path="batch.timeout" label="Time at most, in seconds" />
        <NumberSetting
          path="batch.maxBodySize"
          label="Size at most, in bytes"
          description="0 is 128 MB"
        />
      </SimpleGrid>
    </Stack>
  );
}

const LEVELS = [
  { value: '-4', label: 'debug and above' },
  { value: '0', label: 'info and above' },
  { value: '4', label: 'warnings and errors' },
  { value: '8', label: 'errors alone' },
];

export function Logs() {
  const { settings, errors, set } = useSettingsForm();
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <NumberSetting
          path="logs.maxDays"
          label="Kept for, in days"
          description="0 keeps none at all"
        />
        <Select
          label="What is kept"
          description="The least level"
          allowDeselect={false}
          data={LEVELS}
          value={String(settings.logs.minLevel)}
          error={errors['logs.minLevel']}
          onChange={(value) => set('logs.minLevel', Number(value))}
        />
      </SimpleGrid>
      <SwitchSetting path="logs.logIP" label="With the address of who asks" />
      <SwitchSetting path="logs.logAuthId" label="With the id of the account that asks" />
    </Stack>
  );
}

export function Backups() {
  const { settings } = useSettingsForm();
  const { cron, s3 } = settings.backups;
  const test = useAction<void>({
    run: () => post('/settings/test/s3', { filesystem: 'backups' }),
    done: () => 'The bucket can be written and read.',
    refresh: [],
  });
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextSetting
          path="backups.cron"
          label="Schedule"
          placeholder="0 3 * * *"
          description={cron ? `${describeCron(cron)}, in UTC` : 'A cron expression; empty is never'}
        />
        <NumberSetting
          path="backups.cronMaxKeep"
          label="How many scheduled ones are kept"
          description="The oldest go first"
        />
      </SimpleGrid>
      <SwitchSetting path="backups.s3.enabled" label="Keep backups in an S3 bucket elsewhere" />
      <Collapse expanded={s3.enabled}>
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextSetting path="backups.s3.endpoint" label="Endpoint" />
            <TextSetting path="backups.s3.bucket" label="Bucket" />
            <TextSetting path="backups.s3.region" label="Region" />
            <TextSetting path="backups.s3.accessKey" label="Access key" />
            <SecretSetting path="backups.s3.secret" label="Secret" />
          </SimpleGrid>
          <SwitchSetting path="backups.s3.forcePathStyle" label="The bucket stands in the path" />
          <Group>
            <Button variant="default" loading={test.isPending} onClick={() => test.mutate()}>
              Test what is saved
            </Button>
          </Group>
        </Stack>
      </Collapse>
    </Stack>
  );
}

export function Access() {
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        mito’s own gateway tells the API who asks. Headers are needed only behind another proxy.
      </Text>
      <ListSetting
        path="trustedProxy.headers"
        label="Headers that carry the client’s address"
        placeholder="X-Real-IP"
      />
      <SwitchSetting
        path="trustedProxy.useLeftmostIP"
        label="Take the leftmost address"
        description="Clients can forge it unless the proxy removes what they send."
      />
      <ListSetting
        path="superuserIPs"
        label="Administrators may use the API from these addresses alone"
        placeholder="192.0.2.1"
        description="Empty: from everywhere."
      />
    </Stack>
  );
}
