/* A second process. */
#include <unistd.h>

int main(void) {
  return fork() == 0 ? 0 : 1;
}
