// Files mapped shared: stores reach the file, writes reach the mapping, pieces live on alone.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
static const char *in(int fd, long at) {
  static char kept[8][8];
  static int next;
  char *seen = kept[next++ % 8];
  memset(seen, 0, 8);
  pread(fd, seen, 5, at);
  return seen;
}
int main(void) {
  int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
  ftruncate(fd, 20000);
  char *m = mmap(0, 20000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  printf("mapped %d zero %d\n", m != MAP_FAILED, m[19999]);
  strcpy(m, "first");
  strcpy(m + 9000, "later");
  printf("read %s %s\n", in(fd, 0), in(fd, 9000));
  pwrite(fd, "given", 5, 15000);
  printf("seen %.5s\n", m + 15000);
  printf("msync %d\n", msync(m, 20000, MS_SYNC));
  // the descriptor goes, the mapping stays
  close(fd);
  strcpy(m + 4096, "after");
  printf("part %d\n", munmap(m + 8192, 4096));
  strcpy(m + 12288, "third");
  fd = open("data", O_RDONLY);
  printf("again %s %s %s %s\n", in(fd, 4096), in(fd, 9000), in(fd, 12288), in(fd, 15000));
  errno = 0;
  char *no = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  printf("read only %d %d\n", no == MAP_FAILED, errno == EACCES);
  munmap(m, 20000);
  char *offset = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 12288);
  printf("offset %.5s\n", offset);
  close(fd);
  // stores beyond the end of the file stay out of it
  fd = open("short", O_RDWR | O_CREAT | O_TRUNC, 0600);
  write(fd, "abc", 3);
  char *s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  strcpy(s + 1, "BCDEF");
  struct stat st;
  munmap(s, 4096);
  fstat(fd, &st);
  printf("short %s size %ld\n", in(fd, 0), (long)st.st_size);
  close(fd);
  // a file without a name
  fd = open("gone", O_RDWR | O_CREAT | O_TRUNC, 0600);
  unlink("gone");
  ftruncate(fd, 8192);
  char *g = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g[5000] = 'x';
  printf("gone %s\n", in(fd, 5000));
  // left mapped at the end
  fd = open("left", O_RDWR | O_CREAT | O_TRUNC, 0600);
  ftruncate(fd, 4096);
  char *l = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  strcpy(l, "kept at the end");
  return 0;
}
