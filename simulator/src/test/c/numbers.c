/* Printing, reading and computing of floats of every width, large memory, text. */
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <complex.h>
#include <wchar.h>
#include <locale.h>
#include <float.h>
#include <inttypes.h>
#include <stdarg.h>
#include <search.h>
#include <regex.h>
#include <tgmath.h>
static int cd(const void*a,const void*b) {
  double x=*(double*)a,y=*(double*)b;
  return (x>y)-(x<y);
}
int main() {
  double v[]= {0,-0.0,1,-1.5,M_PI,1e300,1e-310,DBL_MAX,DBL_MIN,4.9e-324,INFINITY,-INFINITY,123456789.125};
  for(int i=0; i<13;
      i++) printf("%f|%e|%g|%a|%.3f|%+10.2e|%#g|%-12.4g|\n",v[i],v[i],v[i],v[i],v[i],v[i],v[i],v[i]);
  long double l=1;
  for(int i=1; i<40; i++) {
    l*=i;
    l/=3;
  }
  printf("%Lf %Le %.30Lg %La\n",l,l,l,l);
  long double r=sqrtl(2.0L);
  printf("%.33Lf %.33Lf %.33Lf\n",r,expl(1.0L),sinl(1.0L));
  printf("%d %d\n",(int)LDBL_MANT_DIG,(int)l>0);
  __int128 q=1;
  for(int i=0; i<100; i++) q=q*3+i;
  printf("%016llx%016llx %lld\n",(unsigned long long)(q>>64),(unsigned long long)q,
         (long long)(q%1000000007));
  float f=16777217.0f;
  printf("%a %.9g\n",f,f);
  for(int i=0; i<20; i++) {
    double x=i*0.37+0.01;
    printf("%.17g %.17g %.17g %.17g %.17g %.17g\n",sin(x),cos(x*100),exp(x),log(x),pow(x,2.5),
           tgamma(x));
    printf("%.9g %.9g %.9g %.9g\n",sinf(x),expf(x),powf(x,.3f),atan2f(x,2));
  }
  double complex z=csqrt(-2+3*I);
  printf("%.15g %.15g %.15g\n",creal(z),cimag(z),cabs(z));
  printf("%ld %ld %lld %g %g %g\n",lrint(2.5),lround(2.5),llrint(-3.5),fmod(10,3.3),remainder(10,3.3),
         fma(2,3,4));
  int ex;
  printf("%g %d %g %g\n",frexp(100,&ex),ex,ldexp(3,10),nextafter(1,2));
  printf("%g %g %.17g\n",strtod("1e-400",0),strtod("0x1.8p3",0),strtod("2.2250738585072011e-308",0));
  printf("%.0f %.0f %.0f %.0f\n",0.5,1.5,2.5,3.5);
  printf("%d %d %u %ld\n",(int)-1.9,(int)1e20>0,(unsigned)3e9,(long)-1e30<0);

  double a[1000];
  unsigned s=1;
  for(int i=0; i<1000; i++) {
    s=s*1103515245+12345;
    a[i]=(double)s/7;
  }
  qsort(a,1000,8,cd);
  double sum=0;
  for(int i=0; i<1000; i++) sum+=a[i]*i;
  printf("%.10g %.10g %.17g\n",a[0],a[999],sum);
  regex_t re;
  regcomp(&re,"([a-z]+)-([0-9]+)",REG_EXTENDED);
  regmatch_t m[3];
  printf("re %d",regexec(&re,"xx abc-123",3,m,0));
  printf(" %d %d\n",(int)m[2].rm_so,(int)m[2].rm_eo);
  char*big=malloc(1L<<30);
  if(!big) {
    puts("no 1GB");
    return 1;
  }
  for(long i=0; i<1L<<30; i+=65536) big[i]=i>>16;
  long t=0;
  for(long i=0; i<1L<<30; i+=65536) t+=big[i];
  printf("1GB %ld\n",t);
  big=realloc(big,(1L<<30)+(1<<28));
  printf("re %d\n",big[65536*5]);
  free(big);
  char buf[64];
  snprintf(buf,64,"%'d %5s|%-5s|%.2s|%c|%p|%n",1234567,"ab","cd","efgh",'x',(void*)0x1234,&ex);
  puts(buf);
  printf("%d %s\n",ex,strerror(2));
  int i1;
  double d1;
  char sb[20];
  sscanf("42 3.5e2 word","%d %lf %s",&i1,&d1,sb);
  printf("%d %g %s\n",i1,d1,sb);
  srand(5);
  printf("%d %d\n",rand(),rand());
  srandom(5);
  printf("%ld %g\n",random(),drand48());
  return 0;
}
