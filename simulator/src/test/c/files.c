/* Files, folders, links, pipes, descriptors, limits, clocks. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/statvfs.h>
#include <fcntl.h>
#include <unistd.h>
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
static int cmp(const void*a,const void*b) {
  return strcmp(*(char**)a,*(char**)b);
}
int main(void) {
  mkdir("d",0755);
  printf("mkdir again %s\n", mkdir("d",0755)?strerror(errno):"ok");
  for(int i=0; i<30; i++) {
    char n[32];
    sprintf(n,"d/file%02d",i);
    FILE*f=fopen(n,"w");
    fprintf(f,"line %d\n%*d\n",i,i,i);
    fclose(f);
  }

  DIR*d=opendir("d");
  struct dirent*e;
  char*names[64];
  int n=0;
  while((e=readdir(d))) names[n++]=strdup(e->d_name);
  closedir(d);
  qsort(names,n,sizeof*names,cmp);
  for(int i=0; i<n; i++) printf("%s ",names[i]);
  puts("");
  struct stat st;
  stat("d/file05",&st);
  printf("size %ld mode %o nlink %ld\n",(long)st.st_size,st.st_mode,(long)st.st_nlink);
  printf("dir mode %o\n",(stat("d",&st),st.st_mode&S_IFMT));
  printf("rename %d\n",rename("d/file00","d/zzz"));
  printf("old %s\n",access("d/file00",F_OK)?strerror(errno):"there");
  symlink("zzz","d/link");
  char b[256];
  int k=readlink("d/link",b,255);
  b[k>0?k:0]=0;
  printf("link %s\n",b);
  FILE*f=fopen("d/link","r");
  fgets(b,256,f);
  printf("via link %s",b);
  fclose(f);
  lstat("d/link",&st);
  printf("lnk %d\n",S_ISLNK(st.st_mode));
  int fd=open("d/big",O_RDWR|O_CREAT|O_TRUNC,0644);
  ftruncate(fd,10000);
  pwrite(fd,"hello",5,5000);
  char q[6]= {0};
  pread(fd,q,5,5000);
  puts(q);
  struct iovec io[2]= {{"ab",2},{"cde",3}};
  printf("writev %ld\n",(long)writev(fd,io,2));
  lseek(fd,0,SEEK_SET);
  read(fd,q,5);
  puts(q);
  char*m=mmap(0,10000,PROT_READ,MAP_PRIVATE,fd,0);
  printf("mmap %.5s %d\n",m+5000,m[9999]);
  munmap(m,10000);
  printf("seek end %ld\n",(long)lseek(fd,-1,SEEK_END));
  int fl=fcntl(fd,F_GETFL);
  printf("acc %d\n",fl&O_ACCMODE);
  int fd2=dup(fd);
  printf("dup>fd %d\n",fd2>fd);
  close(fd2);
  close(fd);
  printf("nofile %s\n",open("nope",O_RDONLY)<0?strerror(errno):"?");
  printf("excl %s\n",open("d/big",O_CREAT|O_EXCL|O_WRONLY,0644)<0?strerror(errno):"?");
  printf("isdir %s\n",open("d",O_WRONLY)<0?strerror(errno):"?");
  printf("notdir %s\n",open("d/big/x",O_RDONLY)<0?strerror(errno):"?");
  printf("badf %s\n",close(99)?strerror(errno):"?");
  f=fopen("d/a","a+");
  fputs("one\n",f);
  fclose(f);
  f=fopen("d/a","a+");
  fputs("two\n",f);
  rewind(f);
  while(fgets(b,256,f)) fputs(b,stdout);
  fclose(f);
  f=tmpfile();
  if(f) {
    fprintf(f,"%d",42);
    rewind(f);
    int x=0;
    fscanf(f,"%d",&x);
    printf("tmp %d\n",x);
    fclose(f);
  } else printf("tmpfile %s\n",strerror(errno));
  char tn[]="d/tXXXXXX";
  fd=mkstemp(tn);
  printf("mkstemp %d\n",fd>=0);
  close(fd);
  unlink(tn);
  int pp[2];
  printf("pipe %d\n",pipe(pp));
  write(pp[1],"xyz",3);
  k=read(pp[0],b,10);
  printf("pipe read %d\n",k);
  struct pollfd pf= {0};
  pf.fd=pp[1];
  pf.events=POLLOUT;
  printf("poll %d\n",poll(&pf,1,0));
  close(pp[1]);
  printf("eof %ld\n",(long)read(pp[0],b,10));
  printf("unlink %d\n",unlink("d/zzz"));
  printf("rmdir %s\n",rmdir("d")?strerror(errno):"ok");
  d=opendir("d");
  while((e=readdir(d))) if(e->d_name[0]!='.') {
      char x[300];
      sprintf(x,"d/%s",e->d_name);
      unlink(x);
    }
  closedir(d);
  printf("rmdir %d\n",rmdir("d"));
  struct rlimit rl;
  printf("rlimit %d\n",getrlimit(RLIMIT_STACK,&rl));
  struct rusage ru;
  printf("rusage %d\n",getrusage(RUSAGE_SELF,&ru));
  struct utsname u;
  uname(&u);
  printf("%s %s\n",u.sysname,u.machine);
  printf("isatty %d\n",isatty(0));
  char*cw=getcwd(b,256);
  printf("cwd %d\n",cw!=0);
  time_t t=86400*365;
  struct tm tm;
  gmtime_r(&t,&tm);
  strftime(b,256,"%F %T %a %j",&tm);
  puts(b);
  setenv("TZ","EST5EDT",1);
  tzset();
  localtime_r(&t,&tm);
  strftime(b,256,"%F %T %Z",&tm);
  puts(b);
  struct timespec r;
  printf("res %d\n",clock_getres(CLOCK_MONOTONIC,&r));
  struct timespec a1,a2;
  clock_gettime(CLOCK_MONOTONIC,&a1);
  struct timespec z= {0,3000000};
  nanosleep(&z,0);
  clock_gettime(CLOCK_MONOTONIC,&a2);
  printf("slept %d\n",(a2.tv_sec-a1.tv_sec)*1000000000L+a2.tv_nsec-a1.tv_nsec>=3000000);
  printf("cpu clock %d time %d\n",clock()!=(clock_t)-1,time(0)>1000000000);
  while(fgets(b,256,stdin)) printf("in: %s",b);
  return 3;
}
