// Drives dlib's own dnn_trainer with losses from standard input and prints where it lowered the learning rate. The
// network is a dummy whose loss layer returns the label as the loss, so the trainer sees exactly the losses given.
// Input per case: threshold, first rate, number of losses, the losses. Output per case: "step rate" at each change,
// then "end". dlib.py compiles and feeds it.

#include <dlib/dnn.h>
#include <iostream>
#include <limits>
#include <string>

class loss_given_ {
public:
    typedef double training_label_type;
    typedef double output_label_type;

    template <typename SUB_TYPE, typename label_iterator>
    void to_label(const dlib::tensor&, const SUB_TYPE&, label_iterator) const {}

    template <typename const_label_iterator, typename SUBNET>
    double compute_loss_value_and_gradient(const dlib::tensor&, const_label_iterator truth, SUBNET& sub) const {
        sub.get_gradient_input() = 0;
        return *truth;
    }
    friend void serialize(const loss_given_&, std::ostream&) {}
    friend void deserialize(loss_given_&, std::istream&) {}
    friend std::ostream& operator<<(std::ostream& out, const loss_given_&) { return out << "loss_given"; }
};

using network = dlib::add_loss_layer<loss_given_, dlib::fc<1, dlib::input<dlib::matrix<float>>>>;

double parsed(const std::string& word) {
    return word == "NaN" ? std::numeric_limits<double>::quiet_NaN() : std::stod(word);
}

int main() {
    unsigned long threshold;
    double rate;
    size_t count;
    std::cout.precision(17);
    while (std::cin >> threshold >> rate >> count) {
        network net;
        dlib::dnn_trainer<network> trainer(net, dlib::sgd(0, 0));
        trainer.set_learning_rate(rate);
        trainer.set_iterations_without_progress_threshold(threshold);
        const std::vector<dlib::matrix<float>> inputs(1, dlib::ones_matrix<float>(1, 1));
        for (size_t step = 0; step < count; ++step) {
            std::string word;
            std::cin >> word;
            trainer.train_one_step(inputs, std::vector<double>(1, parsed(word)));
            // The step is taken by another thread: this waits for it.
            trainer.get_net(dlib::force_flush_to_disk::no);
            if (trainer.get_learning_rate() != rate) {
                rate = trainer.get_learning_rate();
                std::cout << step << ' ' << rate << '\n';
            }
        }
        std::cout << "end\n";
    }
}
