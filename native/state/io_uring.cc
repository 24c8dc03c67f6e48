// RocksDB reads the blocks of a MultiGet together through io_uring only in a program that defines this function. Where the
// kernel or a container's profile forbids io_uring, RocksDB notices at the first read and reads one block after the other.
extern "C" bool RocksDbIOUringEnable() { return true; }
