export function Logo({ size }: { size: number }) {
  return <img src="/icons/nowcast.svg" alt="" width={size} height={size} />;
}
