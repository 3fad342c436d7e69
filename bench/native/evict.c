/* Writes back every file below a folder and drops it from the page cache, so that what is read next comes from the disk. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

static int evict(const char *path, const struct stat *, int type, struct FTW *) {
  if (type != FTW_F) return 0;
  int fd = open(path, O_RDONLY);
  if (fd < 0) return 0;
  fdatasync(fd);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  return close(fd);
}

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "usage: evict FOLDER\n"), 2;
  return nftw(argv[1], evict, 64, FTW_PHYS) == 0 ? 0 : 1;
}
