/** `MSG_DONTWAIT | MSG_NOSIGNAL` on Linux. */
export const sendFlags = 0x4040;

/** The functions of the C library that are needed here, called through koffi. Results are -1 on errors. */
export interface Libc {
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  close(fd: number): number;
  /** io_uring_setup(2); the C library has no functions for these two. */
  uringSetup(entries: number, params: Uint8Array): number;
  /** io_uring_enter(2) without a signal mask. */
  uringEnter(fd: number, toSubmit: number): number;
  /** Maps `length` bytes of a descriptor at `offset`, shared, to read and write; undefined on errors. */
  map(fd: number, offset: number, length: number): ArrayBuffer | undefined;
  /** Where the bytes lie in memory, for as long as somebody holds them. */
  addressOf(bytes: Uint8Array): bigint;
}

/** What is used of koffi. Its platform packages are the whole library; `koffi` itself only picks one, and has an install script. */
interface Koffi {
  load(path: null): { func(declaration: string): (...values: unknown[]) => number };
  address(bytes: Uint8Array): bigint;
  view(at: bigint, length: number): ArrayBuffer;
}

/** The same numbers on every processor Linux runs on. */
const syscall = { uringSetup: 425, uringEnter: 426 } as const;
const protection = { readWrite: 3 } as const;
const mapping = { sharedAndPopulated: 0x8001 } as const;

/** Undefined where koffi has no build, and elsewhere than on Linux: numbers and flags are Linux'. */
export async function loadLibc(): Promise<Libc | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const { default: koffi } = (await import(`@koromix/koffi-linux-${process.arch}`)) as { default: Koffi };
    const libc = koffi.load(null);
    const setup = libc.func('long syscall(long number, uint32_t entries, void *params)');
    const enter = libc.func(
      'long syscall(long number, int fd, uint32_t submit, uint32_t complete, uint32_t flags, void *mask, size_t size)',
    );
    const mmap = libc.func(
      'intptr_t mmap(void *at, size_t length, int protection, int flags, int fd, int64_t offset)',
    );
    return {
      send: libc.func('long send(int fd, const void *bytes, size_t length, int flags)'),
      close: libc.func('int close(int fd)'),
      uringSetup: (entries, params) => setup(syscall.uringSetup, entries, params),
      uringEnter: (fd, toSubmit) => enter(syscall.uringEnter, fd, toSubmit, 0, 0, null, 0),
      map: (fd, offset, length) => {
        const at = mmap(null, length, protection.readWrite, mapping.sharedAndPopulated, fd, offset);
        return at === -1 ? undefined : koffi.view(BigInt(at), length);
      },
      addressOf: (bytes) => koffi.address(bytes),
    };
  } catch {
    return undefined;
  }
}
