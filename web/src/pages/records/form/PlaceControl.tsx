import { Input, NumberInput, SimpleGrid, Stack } from '@mantine/core';
import { Place } from '../place/Place';
import type { GeoPoint } from '../place/point';

interface PlaceControlProps {
  label: string;
  description?: string | undefined;
  withAsterisk: boolean;
  error?: string | undefined;
  value: GeoPoint;
  onChange: (value: GeoPoint) => void;
}

/** A point in numbers and on the map. */
export function PlaceControl({ value, onChange, ...common }: PlaceControlProps) {
  return (
    <Input.Wrapper {...common} labelElement="div">
      <Stack gap="xs" mt={4}>
        <SimpleGrid cols={2} spacing="xs" maw={480}>
          <NumberInput
            aria-label={`${common.label}: latitude`}
            leftSection="lat"
            min={-90}
            max={90}
            value={value.lat}
            onChange={(lat) => onChange({ ...value, lat: Number(lat) || 0 })}
          />
          <NumberInput
            aria-label={`${common.label}: longitude`}
            leftSection="lon"
            min={-180}
            max={180}
            value={value.lon}
            onChange={(lon) => onChange({ ...value, lon: Number(lon) || 0 })}
          />
        </SimpleGrid>
        <Place label={common.label} value={value} onChange={onChange} />
      </Stack>
    </Input.Wrapper>
  );
}
