/* Threads of the C library: queues, barriers, cancellation, keys, time-outs. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <semaphore.h>
#include <unistd.h>
#include <errno.h>
#include <time.h>
#include <stdatomic.h>
#include <sched.h>
static pthread_mutex_t m=PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c=PTHREAD_COND_INITIALIZER;
static int q[16],h,t,n;
static long sum;
static pthread_barrier_t bar;
static sem_t sem;
static pthread_rwlock_t rw=PTHREAD_RWLOCK_INITIALIZER;
static pthread_key_t key;
static pthread_once_t once=PTHREAD_ONCE_INIT;
static atomic_int dtors;
static __thread int tl=7;
static void dtor(void*p) {
  free(p);
  dtors++;
}
static void mk(void) {
  pthread_key_create(&key,dtor);
  puts("once");
}
static void*prod(void*a) {
  for(int i=0; i<1000; i++) {
    pthread_mutex_lock(&m);
    while(n==16) pthread_cond_wait(&c,&m);
    q[t++&15]=i;
    n++;
    pthread_cond_broadcast(&c);
    pthread_mutex_unlock(&m);
  }
  return 0;
}
static void*cons(void*a) {
  pthread_once(&once,mk);
  pthread_setspecific(key,malloc(10));
  tl++;
  for(int i=0; i<500; i++) {
    pthread_mutex_lock(&m);
    while(n==0) pthread_cond_wait(&c,&m);
    sum+=q[h++&15];
    n--;
    pthread_cond_broadcast(&c);
    pthread_mutex_unlock(&m);
  }
  pthread_barrier_wait(&bar);
  sem_post(&sem);
  return (void*)(long)tl;
}
static void*rd(void*a) {
  pthread_rwlock_rdlock(&rw);
  long v=sum;
  pthread_rwlock_unlock(&rw);
  return (void*)v;
}
static void*canc(void*a) {
  for(;;) {
    pthread_testcancel();
    sched_yield();
  }
}
static void*slp(void*a) {
  sleep(1000);
  return 0;
}
int main() {
  pthread_t a[2],b[4];
  pthread_barrier_init(&bar,0,5);
  sem_init(&sem,0,0);
  for(int i=0; i<2; i++) pthread_create(a+i,0,prod,0);
  for(int i=0; i<4; i++) pthread_create(b+i,0,cons,0);
  pthread_barrier_wait(&bar);
  for(int i=0; i<4; i++) sem_wait(&sem);
  for(int i=0; i<2; i++) pthread_join(a[i],0);
  long s=0;
  for(int i=0; i<4; i++) {
    void*r;
    pthread_join(b[i],&r);
    s+=(long)r;
  }
  printf("sum %ld tls %ld dtors %d main tls %d\n",sum,s,(int)dtors,tl);
  pthread_t r;
  pthread_create(&r,0,rd,0);
  void*v;
  pthread_join(r,&v);
  printf("rw %ld\n",(long)v);
  pthread_create(&r,0,canc,0);
  pthread_cancel(r);
  pthread_join(r,&v);
  printf("cancelled %d\n",v==PTHREAD_CANCELED);
  pthread_create(&r,0,slp,0);
  usleep(1000);
  pthread_cancel(r);
  pthread_join(r,&v);
  printf("cancelled in sleep %d\n",v==PTHREAD_CANCELED);
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME,&ts);
  ts.tv_nsec+=2000000;
  if(ts.tv_nsec>=1000000000) {
    ts.tv_sec++;
    ts.tv_nsec-=1000000000;
  }
  pthread_mutex_lock(&m);
  int e=pthread_cond_timedwait(&c,&m,&ts);
  printf("timedwait %d\n",e==ETIMEDOUT);
  pthread_mutex_unlock(&m);
  pthread_mutexattr_t at;
  pthread_mutexattr_init(&at);
  pthread_mutexattr_settype(&at,PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_t rm;
  pthread_mutex_init(&rm,&at);
  pthread_mutex_lock(&rm);
  printf("rec %d\n",pthread_mutex_trylock(&rm));
  pthread_mutexattr_settype(&at,PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&rm,&at);
  pthread_mutex_lock(&rm);
  printf("edeadlk %d\n",pthread_mutex_lock(&rm)==EDEADLK);
  pthread_attr_t pa;
  pthread_attr_init(&pa);
  pthread_attr_setstacksize(&pa,1<<20);
  pthread_attr_setdetachstate(&pa,PTHREAD_CREATE_DETACHED);
  printf("det %d\n",pthread_create(&r,&pa,rd,0));
  usleep(3000);
  printf("ncpu>0 %d\n", sysconf(_SC_NPROCESSORS_ONLN)>0);
  pthread_exit(0);
}
