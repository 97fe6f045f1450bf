/*
 * Cuts the power of an ext4 file system, as far as its disk can tell: from now on nothing is written to it, and what its
 * log has not written is lost (EXT4_IOC_SHUTDOWN without flushing the log; fs/ext4/ext4.h). Argument: where it is mounted.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH 2

int main(int count, char **arguments) {
  uint32_t how = NO_LOG_FLUSH;
  int folder = count == 2 ? open(arguments[1], O_RDONLY) : -1;
  if (folder >= 0 && ioctl(folder, EXT4_IOC_SHUTDOWN, &how) == 0) return 0;
  perror(count == 2 ? arguments[1] : "usage: cut-power FOLDER");
  return 1;
}
