import { Code, Drawer, Stack, Text } from '@mantine/core';
import { IconCertificate } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useSearchParams } from 'wouter';
import { getPage, orNull } from '@/api/client';
import { type Column, DataTable } from '@/components/DataTable';
import { Details } from '@/components/Details';
import { wholeList } from '@/components/list';
import { Page } from '@/components/Page';
import { StatusBadge } from '@/components/StatusBadge';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { formatTime } from '@/format';
import { Search } from '../ObjectList';
import type { CertificateInfo } from '../types';
import {
  certificateErrors,
  certificateKey,
  certificateTitle,
  expiryText,
  moment,
  shownCertificates,
} from './expiry';

const POLL_MS = 10_000;
/** As many as the gateway gives at once. */
const MOST = 500;

const COLUMNS: Column<CertificateInfo>[] = [
  { header: 'Certificate', nowrap: true, cell: certificateTitle },
  { header: 'State', cell: (certificate) => <State certificate={certificate} /> },
  { header: 'Names', cell: ({ sans }) => sans?.join(', ') || '–' },
  { header: 'Valid', nowrap: true, cell: ({ notAfter }) => <Left notAfter={notAfter} /> },
  { header: 'Issuer', cell: ({ issuerCN, issuerOrg }) => issuerCN || issuerOrg || '–' },
];

function State({ certificate }: { certificate: CertificateInfo }) {
  const next = moment(certificate.nextAttempt);
  const errors = certificateErrors(certificate);
  return (
    <div>
      <StatusBadge state={certificate.status} />
      {errors.map((error) => (
        <Text key={error} size="xs" c="red" mt={2}>
          {error}
        </Text>
      ))}
      {next !== null && (
        <Text size="xs" c="dimmed" mt={2}>
          {errors.length > 0 ? 'next attempt' : 'renewed'} <Time ms={next} />
        </Text>
      )}
    </div>
  );
}

function Left({ notAfter }: { notAfter: string | null | undefined }) {
  const ms = moment(notAfter);
  if (ms === null) {
    return '–';
  }
  return (
    <div>
      {expiryText(ms, Date.now())}
      <Text size="xs" c="dimmed">
        until {new Date(ms).toLocaleDateString(undefined, { dateStyle: 'medium' })}
      </Text>
    </div>
  );
}

/** The certificates that the gateway shows to clients, and how long they last. */
export default function Certificates() {
  const [params, setParams] = useSearchParams();
  const search = params.get('search') ?? '';
  const open = params.get('open');
  const query = useQuery({
    queryKey: ['gateway', 'certificates'],
    queryFn: () => orNull(getPage<CertificateInfo>('/gateway/certificates', { per_page: MOST })),
    refetchInterval: POLL_MS,
  });
  const show = useCallback(
    (name: 'search' | 'open', value: string) =>
      setParams(
        (current) => {
          const next = new URLSearchParams(current);
          next.delete(name);
          if (value) {
            next.set(name, value);
          }
          return next;
        },
        { replace: name === 'search' },
      ),
    [setParams],
  );
  const onSearch = useCallback((value: string) => show('search', value), [show]);
  const all = query.data?.items;
  const opened = all?.find((one) => certificateKey(one) === open);
  return (
    <Page title="Certificates" lead="What proves to clients that they have reached the right host">
      {query.data === null ? (
        <EmptyState icon={IconCertificate} title="Not available here">
          This mito does not tell which certificates it has.
        </EmptyState>
      ) : (
        <>
          <Search value={search} onChange={onSearch} label="certificates" />
          <DataTable
            label="Certificates"
            list={wholeList({ ...query, data: all && shownCertificates(all, search) })}
            columns={COLUMNS}
            rowKey={certificateKey}
            onOpen={(certificate) => show('open', certificateKey(certificate))}
            empty={
              <EmptyState
                icon={IconCertificate}
                title={search ? 'Nothing matches' : 'No certificates yet'}
              >
                {search
                  ? 'Try another word.'
                  : 'They are ordered when the first host with TLS is routed.'}
              </EmptyState>
            }
          />
        </>
      )}
      <Drawer
        opened={opened !== undefined}
        onClose={() => show('open', '')}
        title={opened && certificateTitle(opened)}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {opened && <Certificate certificate={opened} />}
      </Drawer>
    </Page>
  );
}

function Certificate({ certificate }: { certificate: CertificateInfo }) {
  const { keyType, keySize, certFingerprint, serialNumber, sans = [] } = certificate;
  return (
    <Stack>
      <State certificate={certificate} />
      <Details
        items={[
          ['Valid', <Left key="left" notAfter={certificate.notAfter} />],
          ['From', timeText(certificate.notBefore)],
          ['Until', timeText(certificate.notAfter)],
          [
            'Names',
            sans.length > 0
              ? sans.map((name) => (
                  <div key={name}>
                    <Code>{name}</Code>
                  </div>
                ))
              : '–',
          ],
          [
            'Issuer',
            [certificate.issuerOrg, certificate.issuerCN].filter(Boolean).join(', ') || '–',
          ],
          ['Source', certificate.provider || '–'],
          ['Key', keyType ? `${keyType}${keySize ? `, ${keySize} bits` : ''}` : '–'],
          ['Signature', certificate.signatureAlgorithm || '–'],
          ['Serial number', serialNumber ? <Code key="serial">{serialNumber}</Code> : '–'],
          ['Fingerprint', certFingerprint ? <Code key="print">{certFingerprint}</Code> : '–'],
        ]}
      />
    </Stack>
  );
}

function timeText(value: string | null | undefined): string {
  const ms = moment(value);
  return ms === null ? '–' : formatTime(ms);
}
