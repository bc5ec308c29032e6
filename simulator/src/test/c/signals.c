/* Signals: faults with handlers, masks, other stacks, alarms, waiting; jumps; float status. */
#define _GNU_SOURCE
#include <signal.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <errno.h>
#include <fenv.h>
#include <sys/mman.h>
static volatile sig_atomic_t got;
static sigjmp_buf jb;
static void h(int s) {
  got+=s;
}
static void seg(int s,siginfo_t*i,void*c) {
  printf("segv code %d null page %d\n",i->si_code,(long)i->si_addr<4096);
  siglongjmp(jb,1);
}
static void fpe(int s,siginfo_t*i,void*c) {
  siglongjmp(jb,2);
}
static char alt[65536];
static int depth;
static void onalt(int s) {
  char x;
  printf("on alt stack %d\n", &x>=alt && &x<alt+sizeof alt);
}
static void ex(void) {
  puts("atexit");
}
static int rec(jmp_buf b,int n) {
  if(n==0) longjmp(b,42);
  return rec(b,n-1)+1;
}
int main() {
  setvbuf(stdout,0,_IONBF,0);
  atexit(ex);
  signal(SIGUSR1,h);
  raise(SIGUSR1);
  kill(getpid(),SIGUSR1);
  printf("got %d\n",got);
  struct sigaction sa;
  memset(&sa,0,sizeof sa);
  sa.sa_sigaction=seg;
  sa.sa_flags=SA_SIGINFO|SA_NODEFER;
  sigaction(SIGSEGV,&sa,0);
  if(!sigsetjmp(jb,1)) *(volatile int*)0x10=1;
  puts("after null");
  char*p=mmap(0,4096,PROT_READ,MAP_PRIVATE|MAP_ANONYMOUS,-1,0);
  if(!sigsetjmp(jb,1)) {
    *(volatile char*)p=1;
  }
  printf("after ro %d\n", p[0]);
  if(!sigsetjmp(jb,1)) {
    int(*f)(void)=(void*)p;
    f();
  }
  puts("after nx");
  sigset_t s,o;
  sigemptyset(&s);
  sigaddset(&s,SIGUSR1);
  sigprocmask(SIG_BLOCK,&s,&o);
  got=0;
  raise(SIGUSR1);
  printf("blocked %d\n",got);
  sigset_t pd;
  sigpending(&pd);
  printf("pending %d\n",sigismember(&pd,SIGUSR1));
  sigprocmask(SIG_SETMASK,&o,0);
  printf("unblocked %d\n",got);
  stack_t st= {.ss_sp=alt,.ss_size=sizeof alt};
  sigaltstack(&st,0);
  sa.sa_handler=onalt;
  sa.sa_flags=SA_ONSTACK;
  sigaction(SIGUSR2,&sa,0);
  raise(SIGUSR2);
  jmp_buf b;
  int r=setjmp(b);
  if(!r) rec(b,100);
  printf("setjmp %d\n",r);
  sa.sa_sigaction=fpe;
  sa.sa_flags=SA_SIGINFO;
  sigaction(SIGILL,&sa,0);
  if(!(r=sigsetjmp(jb,1))) __asm__ volatile(".word 0xffffffff");
  printf("ill %d\n",r);
  volatile int z=0;
  printf("div0 %d rem %d\n",5/z,5%z);
  feclearexcept(FE_ALL_EXCEPT);
  volatile double d=1.0,e=0;
  d/=e;
  printf("fe %x inf %f\n",fetestexcept(FE_ALL_EXCEPT),d);
  fesetround(FE_UPWARD);
  volatile double th=1.0;
  printf("%.20f\n",th/3.0);
  fesetround(FE_TONEAREST);
  sigset_t w;
  sigemptyset(&w);
  sigaddset(&w,SIGUSR2);
  sigprocmask(SIG_BLOCK,&w,0);
  raise(SIGUSR2);
  int sn;
  sigwait(&w,&sn);
  printf("sigwait %d\n",sn==SIGUSR2);
  signal(SIGALRM,h);
  got=0;
  struct itimerval it= {{0,0},{0,5000}};
  printf("setitimer %d\n",setitimer(ITIMER_REAL,&it,0));
  while(!got) pause();
  printf("alarm %d\n",got);
  signal(SIGABRT,SIG_DFL);
  abort();
}
