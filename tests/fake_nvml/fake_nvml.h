#pragma once

#include <array>
#include <deque>
#include <string>

/// What the made-up libnvidia-ml.so.1 says, as NVML's numbers: milliwatt, megahertz, celsius, per cent.
struct FakeCard {
    std::string name = "NVIDIA H100 80GB HBM3";
    std::string uuid = "GPU-11111111-2222-3333-4444-555555555555";
    std::string bus_id = "00000000:65:00.0";
    unsigned power = 350'000, power_limit = 700'000, default_power_limit = 700'000;
    unsigned temperature = 61, memory_temperature = 74;
    unsigned clock = 1980, maximum_clock = 1980, memory_clock = 2619;
    unsigned load = 97;
    unsigned long long memory = 80ull << 30, used = 3ull << 30;
    unsigned long long clock_reasons = 0;
    unsigned long long corrected = 0, uncorrected = 0;
    bool ecc = true, persistence = true, mig = false;
    unsigned link_generation = 5, link_width = 16;
    std::deque<unsigned long long> xids = {};  ///< told one by one
};

struct FakeNvml {
    int init_result = 0;  ///< of nvmlInit_v2
    std::string driver = "580.95.05";
    int cuda = 13000;
    std::deque<FakeCard> cards = std::deque<FakeCard>(1);
    std::string not_supported = {};  ///< this function says NVML_ERROR_NOT_SUPPORTED; "all": each of a card
    bool lost = false;               ///< every function of a card says NVML_ERROR_GPU_IS_LOST
    int waits_with_time = 0;         ///< calls that wanted to wait for an event
    int open_event_sets = 0;
};

/// Exported by every form of the library beside NVML's functions.
extern "C" FakeNvml* fake_nvml();
