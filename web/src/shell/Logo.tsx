/** The mark: a mitochondrion, the organ that powers the cell. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" role="img" aria-label="mito">
      <rect x="2" y="7" width="28" height="18" rx="9" fill="var(--mantine-primary-color-filled)" />
      <path
        d="M7 16c0-3 3-3 3 0s3 3 3 0 3-3 3 0 3 3 3 0 3-3 3 0 3 3 3 0"
        fill="none"
        stroke="#fff"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
    </svg>
  );
}
