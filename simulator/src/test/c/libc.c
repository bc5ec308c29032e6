// What a C program asks of Linux, printed so that every run prints the same.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static __thread int per_thread = 41;
static jmp_buf back;
static volatile sig_atomic_t caught;

static void on_signal(int number) { caught = number; }
static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("fault %d at null %d\n", number, info->si_addr == NULL);
  siglongjmp(back, 7);
}
static int by_length(const void *a, const void *b) {
  size_t x = strlen(*(char *const *)a), y = strlen(*(char *const *)b);
  return x < y ? -1 : x > y;
}
static void files(void) {
  FILE *f = fopen("note.txt", "w");
  for (int i = 0; i < 1000; i++) fprintf(f, "line %04d %.3f\n", i, sqrt(i));
  fclose(f);
  struct stat s;
  printf("stat %d size %ld regular %d\n", stat("note.txt", &s), (long)s.st_size, S_ISREG(s.st_mode));
  f = fopen("note.txt", "r+");
  fseek(f, 16 * 500, SEEK_SET);
  char line[64];
  printf("line: %s", fgets(line, sizeof line, f));
  fseek(f, 0, SEEK_END);
  fputs("end\n", f);
  printf("tell %ld\n", ftell(f));
  fclose(f);
  int fd = open("note.txt", O_RDONLY);
  char tail[5] = "";
  lseek(fd, -4, SEEK_END);
  printf("read %zd %s", read(fd, tail, 4), tail);
  char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  printf("mapped %.9s\n", map);
  munmap(map, 4096);
  close(fd);
  printf("mkdir %d again %d %s\n", mkdir("sub", 0755), mkdir("sub", 0755), strerror(errno));
  printf("rename %d unlink %d rmdir %d\n", rename("note.txt", "sub/moved"), unlink("sub/moved"), rmdir("sub"));
  printf("missing %d %s\n", open("nothing/here", O_RDONLY), strerror(errno));
}
static void memory(void) {
  char *blocks[200];
  unsigned sum = 0;
  for (int i = 0; i < 200; i++) memset(blocks[i] = malloc(1u << (i % 20)), i, 1u << (i % 20));
  for (int i = 0; i < 200; i += 2) free(blocks[i]);
  for (int i = 1; i < 200; i += 2) { blocks[i] = realloc(blocks[i], 100 + (1u << (i % 20))); sum += (unsigned char)blocks[i][0]; }
  printf("malloc %u\n", sum);
  char *big = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  big[63 << 20] = 5;
  printf("mmap %d zero %d\n", big[63 << 20], big[1 << 20]);
  big = mremap(big, 64 << 20, 96 << 20, MREMAP_MAYMOVE);
  printf("mremap %d\n", big[63 << 20]);
  munmap(big, 96 << 20);
}
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
  files();
  memory();
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  clock_gettime(CLOCK_MONOTONIC, &b);
  printf("time goes on %d\n", b.tv_sec > a.tv_sec || b.tv_nsec >= a.tv_nsec);
  unsigned char random[64] = {0};
  int set = 0;
  printf("random %zd\n", getrandom(random, sizeof random, 0));
  for (int i = 0; i < 64; i++) set += __builtin_popcount(random[i]);
  printf("half of the bits %d\n", set > 180 && set < 332);
  printf("thread local %d\n", ++per_thread);
  signal(SIGUSR1, on_signal);
  raise(SIGUSR1);
  printf("signal %d\n", caught == SIGUSR1);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  int jumped = sigsetjmp(back, 1);
  if (!jumped) *(volatile int *)NULL = 1;
  printf("jumped %d\n", jumped);
  char *words[] = {"four", "a", "seventh", "no", "three"};
  qsort(words, 5, sizeof *words, by_length);
  for (int i = 0; i < 5; i++) printf("%s ", words[i]);
  printf("\n%.17g %a %e %ld\n", 0.1, 1.0 / 3, exp(1), strtol("-0x7f", NULL, 16));
  char line[32];
  while (fgets(line, sizeof line, stdin)) printf("input %zu\n", strlen(line));
  fprintf(stderr, "to the error stream\n");
  return 42;
}
